/* The loops of td.h; compiled once for each type. */

#include "rows/best-inl.h"

/* y (N,) = returns + discounts * next_q at the best action of chooser; next_q and chooser (N, A). */
static void NAME(td_target)(const void *returns, const void *discounts, const void *next_q, const void *chooser, ptrdiff_t N,
                            ptrdiff_t A, void *y) {
    const REAL *earned = returns, *discount = discounts, *value = next_q, *choice = chooser;
    REAL *target = y;
    ptrdiff_t n;
    for (n = 0; n < N; n++) target[n] = earned[n] + discount[n] * value[n * A + NAME(best_of)(choice + n * A, A)];
}

/* The mean Huber loss; dq (N, A) is its derivative, zero off the actions. */
static double NAME(td_loss)(const void *q, const int64_t *actions, const void *targets, ptrdiff_t N, ptrdiff_t A, double delta,
                            void *dq) {
    const REAL *value = q, *target = targets;
    const REAL high = (REAL)delta, low = -high, rows = (REAL)N;
    REAL *slope = dq;
    double sum = 0;
    ptrdiff_t n;
    memset(slope, 0, (size_t)(N * A) * sizeof(REAL));
    for (n = 0; n < N; n++) {
        ptrdiff_t at = n * A + (ptrdiff_t)actions[n];
        REAL error = value[at] - target[n], inside = error > high ? high : error < low ? low : error;
        sum += (double)inside * ((double)error - 0.5 * (double)inside);
        slope[at] = inside / rows;
    }
    return sum / (double)N;
}
