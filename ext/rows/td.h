/* The targets of Q-learning and the loss of the chosen actions' values. */
#ifndef NNLITE_TD_H
#define NNLITE_TD_H

#include <string.h>

#include "rows/actions.h"

#define KERNELS "rows/td-inl.h"
#include "simd/foreach_type.h"
#undef KERNELS

typedef void (*td_target_function)(const void *returns, const void *discounts, const void *next_q, const void *chooser,
                                   ptrdiff_t N, ptrdiff_t A, void *y);
typedef double (*td_loss_function)(const void *q, const int64_t *actions, const void *targets, ptrdiff_t N, ptrdiff_t A,
                                   double delta, void *dq);

static const td_target_function td_target_of_type[] = NNLITE_TYPES(td_target);
static const td_loss_function td_loss_of_type[] = NNLITE_TYPES(td_loss);

#endif
