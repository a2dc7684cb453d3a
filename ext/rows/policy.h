/* Choosing actions by a network's output, and the losses of a policy, for float and double.

   Rows of `z` hold `row` numbers, of which the first A are a policy's logits or the values of actions. */
#ifndef NNLITE_POLICY_H
#define NNLITE_POLICY_H

#include <math.h>

#include "rows/actions.h"

/* numpy/random/bitgen.h, part of NumPy's stable interface */
struct bitgen {
    void *state;
    uint64_t (*next_uint64)(void *);
    uint32_t (*next_uint32)(void *);
    double (*next_double)(void *);
    uint64_t (*next_raw)(void *);
};

/* Uniform in [0, 1). */
static inline double draw(struct bitgen *bits) { return bits->next_double(bits->state); }

#define POLICY_FUNCTIONS(REAL, EXP, LOG)                                                                                 \
    static void epsilon_greedy_##REAL(const REAL *z, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, double epsilon,            \
                                      struct bitgen *bits, int64_t *actions) {                                           \
        ptrdiff_t n;                                                                                                     \
        for (n = 0; n < N; n++, z += row)                                                                                \
            actions[n] = epsilon > 0 && draw(bits) < epsilon ? (int64_t)(draw(bits) * (double)A) : best_of_##REAL(z, A); \
    }                                                                                                                    \
    /* The first column at which the running sum of exp(z - max z) passes a uniform share of the whole sum. */           \
    static void sample_##REAL(const REAL *z, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, struct bitgen *bits,               \
                              int64_t *actions) {                                                                        \
        ptrdiff_t n, a;                                                                                                  \
        for (n = 0; n < N; n++, z += row) {                                                                              \
            const REAL top = z[best_of_##REAL(z, A)];                                                                    \
            REAL sum = 0, passed = 0, share;                                                                             \
            for (a = 0; a < A; a++) sum += EXP(z[a] - top);                                                              \
            share = (REAL)draw(bits) * sum;                                                                              \
            for (a = 0; a < A - 1; a++)                                                                                  \
                if ((passed += EXP(z[a] - top)) > share) break;                                                          \
            while (a > 0 && !(EXP(z[a] - top) > 0)) a--; /* rounding must not choose what has no share */                \
            actions[n] = a;                                                                                              \
        }                                                                                                                \
    }                                                                                                                    \
    /* sums[0] = -mean A log pi(a|s), sums[1] = mean entropy; dz = d(sums[0] - weight sums[1]) in the first A columns. */ \
    static void policy_loss_##REAL(const REAL *z, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, const int64_t *actions,       \
                                   const REAL *advantages, double weight, REAL *dz, double *sums) {                      \
        const REAL rows = (REAL)N, entropy_weight = (REAL)weight;                                                        \
        ptrdiff_t n, a;                                                                                                  \
        sums[0] = sums[1] = 0;                                                                                           \
        for (n = 0; n < N; n++, z += row, dz += row) {                                                                   \
            const REAL top = z[best_of_##REAL(z, A)], advantage = advantages[n];                                         \
            REAL sum = 0, entropy = 0, log_sum;                                                                          \
            for (a = 0; a < A; a++) sum += dz[a] = EXP(z[a] - top);                                                      \
            log_sum = LOG(sum);                                                                                          \
            for (a = 0; a < A; a++) {                                                                                    \
                dz[a] /= sum;                                                                                            \
                entropy -= dz[a] * (z[a] - top - log_sum);                                                               \
            }                                                                                                            \
            sums[0] -= (double)advantage * (double)(z[actions[n]] - top - log_sum);                                      \
            sums[1] += (double)entropy;                                                                                  \
            for (a = 0; a < A; a++) {                                                                                    \
                const REAL pi = dz[a];                                                                                   \
                dz[a] = (pi * advantage - (a == actions[n] ? advantage : 0) +                                            \
                         entropy_weight * pi * (z[a] - top - log_sum + entropy)) / rows;                                 \
            }                                                                                                            \
        }                                                                                                                \
        sums[0] /= (double)N;                                                                                            \
        sums[1] /= (double)N;                                                                                            \
    }                                                                                                                    \
    /* mean (z[n, A] - returns[n])^2; column A of dz = weight times its derivative. */                                   \
    static double value_loss_##REAL(const REAL *z, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, const REAL *returns,         \
                                    double weight, REAL *dz) {                                                           \
        const REAL scale = (REAL)(2 * weight / (double)N);                                                               \
        double sum = 0;                                                                                                  \
        ptrdiff_t n;                                                                                                     \
        for (n = 0; n < N; n++) {                                                                                        \
            const REAL error = z[n * row + A] - returns[n];                                                              \
            sum += (double)error * (double)error;                                                                        \
            dz[n * row + A] = scale * error;                                                                             \
        }                                                                                                                \
        return sum / (double)N;                                                                                          \
    }

POLICY_FUNCTIONS(float, expf, logf)
POLICY_FUNCTIONS(double, exp, log)

#endif
