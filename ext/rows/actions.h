/* The best of a row of values, and whether actions are any of A. */
#ifndef NNLITE_ACTIONS_H
#define NNLITE_ACTIONS_H

#include <stddef.h>
#include <stdint.h>

#define BEST_OF(REAL)                                                                  \
    /* The column of the largest of A numbers; the first NaN counts as the largest. */ \
    static inline ptrdiff_t best_of_##REAL(const REAL *row, ptrdiff_t A) {             \
        ptrdiff_t a, best = 0;                                                         \
        for (a = 1; a < A; a++)                                                        \
            if (row[best] == row[best] && !(row[a] <= row[best])) best = a;            \
        return best;                                                                   \
    }

BEST_OF(float)
BEST_OF(double)
#undef BEST_OF

static inline int all_below(const int64_t *actions, ptrdiff_t N, ptrdiff_t A) {
    uint64_t bad = 0;
    ptrdiff_t n;
    for (n = 0; n < N; n++) bad |= (uint64_t)actions[n] >= (uint64_t)A;
    return !bad;
}

#endif
