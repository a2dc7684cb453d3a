/* Choosing actions by a network's output, and the losses of a policy.

   A row of the output holds `row` numbers. The first A are a policy's logits, or the values of actions. */
#ifndef NNLITE_POLICY_H
#define NNLITE_POLICY_H

#include "numpy/bitgen.h"
#include "rows/actions.h"

#define KERNELS "rows/policy-inl.h"
#include "simd/foreach_type.h"
#undef KERNELS

typedef void (*greedy_function)(const void *values, ptrdiff_t A, ptrdiff_t N, double epsilon, struct bitgen *bits,
                                int64_t *actions);
typedef void (*sample_function)(const void *output, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, struct bitgen *bits,
                                int64_t *actions);
typedef int (*probabilities_function)(const void *output, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N);
typedef void (*policy_loss_function)(const void *output, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, const int64_t *actions,
                                     const void *advantages, double weight, void *gradient, double *sums);
typedef double (*value_loss_function)(const void *output, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, const void *returns,
                                      double weight, void *gradient);

static const greedy_function epsilon_greedy_of_type[] = NNLITE_TYPES(epsilon_greedy);
static const sample_function sample_of_type[] = NNLITE_TYPES(sample);
static const probabilities_function are_probabilities_of_type[] = NNLITE_TYPES(are_probabilities);
static const policy_loss_function policy_loss_of_type[] = NNLITE_TYPES(policy_loss);
static const value_loss_function value_loss_of_type[] = NNLITE_TYPES(value_loss);

#endif
