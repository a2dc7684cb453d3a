/* Are all actions columns of a row of A values? */
#ifndef NNLITE_ACTIONS_H
#define NNLITE_ACTIONS_H

#include <stddef.h>
#include <stdint.h>

static inline int all_below(const int64_t *actions, ptrdiff_t N, ptrdiff_t A) {
    uint64_t bad = 0;
    ptrdiff_t n;
    for (n = 0; n < N; n++) bad |= (uint64_t)actions[n] >= (uint64_t)A;
    return !bad;
}

#endif
