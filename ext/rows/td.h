/* The targets of Q-learning and the loss of the chosen actions' values, for float and double. */
#ifndef NNLITE_TD_H
#define NNLITE_TD_H

#include <string.h>

#include "rows/actions.h"

#define TD_FUNCTIONS(REAL)                                                                                            \
    static void td_target_##REAL(const REAL *returns, const REAL *discounts, const REAL *next_q, const REAL *chooser, \
                                 ptrdiff_t N, ptrdiff_t A, REAL *y) {                                                 \
        ptrdiff_t n;                                                                                                  \
        for (n = 0; n < N; n++)                                                                                       \
            y[n] = returns[n] + discounts[n] * next_q[n * A + best_of_##REAL(chooser + n * A, A)];                    \
    }                                                                                                                 \
    static double td_loss_##REAL(const REAL *q, const int64_t *actions, const REAL *targets, ptrdiff_t N,             \
                                 ptrdiff_t A, double delta, REAL *dq) {                                               \
        const REAL high = (REAL)delta, low = -high, rows = (REAL)N;                                                   \
        double sum = 0;                                                                                               \
        ptrdiff_t n;                                                                                                  \
        memset(dq, 0, (size_t)(N * A) * sizeof(REAL));                                                                \
        for (n = 0; n < N; n++) {                                                                                     \
            ptrdiff_t at = n * A + (ptrdiff_t)actions[n];                                                             \
            REAL error = q[at] - targets[n], inside = error > high ? high : error < low ? low : error;                \
            sum += (double)inside * ((double)error - 0.5 * (double)inside);                                           \
            dq[at] = inside / rows;                                                                                   \
        }                                                                                                             \
        return sum / (double)N;                                                                                       \
    }

TD_FUNCTIONS(float)
TD_FUNCTIONS(double)

#endif
