/* The cross-entropy of a softmax, taken from the logits, for float and double. */
#ifndef NNLITE_CROSSENTROPY_H
#define NNLITE_CROSSENTROPY_H

#include <math.h>
#include <stddef.h>

#define CROSSENTROPY_FUNCTION(REAL, EXP)                                                                          \
    static double crossentropy_##REAL(const REAL *logits, const REAL *target, ptrdiff_t N, ptrdiff_t K, REAL *dz) { \
        double loss = 0;                                                                                          \
        ptrdiff_t n, k;                                                                                           \
        for (n = 0; n < N; n++, logits += K, target += K, dz += K) {                                              \
            REAL most = logits[0], sum = 0;                                                                       \
            double weight = 0, chosen = 0; /* sum of the targets, and of target * (logit - most) */               \
            for (k = 1; k < K; k++)                                                                               \
                if (!(logits[k] <= most)) most = logits[k];                                                       \
            for (k = 0; k < K; k++) {                                                                             \
                REAL shifted = logits[k] - most;                                                                  \
                dz[k] = EXP(shifted);                                                                             \
                sum += dz[k];                                                                                     \
                weight += (double)target[k];                                                                      \
                if (target[k] != 0) chosen += (double)target[k] * (double)shifted;                                \
            }                                                                                                     \
            loss += weight * log((double)sum) - chosen;                                                           \
            for (k = 0; k < K; k++) dz[k] = (dz[k] / sum * (REAL)weight - target[k]) / (REAL)N;                    \
        }                                                                                                         \
        return loss / (double)N;                                                                                  \
    }

CROSSENTROPY_FUNCTION(float, expf)
CROSSENTROPY_FUNCTION(double, exp)

#endif
