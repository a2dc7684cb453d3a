"""Choosing actions by a network's output, and the losses of a policy, for float32 and float64.

    epsilon_greedy   a uniform action with probability epsilon, else argmax over a of z[n, a]
    sample_actions   a drawn with probability softmax(z[n])[a]
    policy_loss      loss = -mean A log pi(a|s), entropy = -mean sum_b pi_b log pi_b, and the derivative of
                     loss - weight * entropy by the logits
    actor_critic_loss  the same where one more column of z is the critic's V(s), with mean (V - G)^2 beside it

Contract: shapes, types and actions are checked here, and that logits are no probabilities. Arguments that do not fit go to
`otherwise`, the twin. Random numbers come from the caller's generator, one or two a row. Results are new arrays.
Twin: nnlite/reference/policy.py; tests/ext/test_policy.py keeps the two equal."""

from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int64_t

include "numpy/arrays.pxi"
include "numpy/bitgen.pxi"
include "numpy/outputs.pxi"

cdef extern from "rows/policy.h" nogil:
    ctypedef void (*greedy_function)(const void *values, ptrdiff_t A, ptrdiff_t N, double epsilon, bitgen *bits,
                                     int64_t *actions) noexcept
    ctypedef void (*sample_function)(const void *output, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, bitgen *bits,
                                     int64_t *actions) noexcept
    ctypedef bint (*probabilities_function)(const void *output, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N) noexcept
    ctypedef void (*policy_loss_function)(const void *output, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, const int64_t *actions,
                                          const void *advantages, double weight, void *gradient, double *sums) noexcept
    ctypedef double (*value_loss_function)(const void *output, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, const void *returns,
                                           double weight, void *gradient) noexcept
    const greedy_function epsilon_greedy_of_type[2]
    const sample_function sample_of_type[2]
    const probabilities_function are_probabilities_of_type[2]
    const policy_loss_function policy_loss_of_type[2]
    const value_loss_function value_loss_of_type[2]
    bint all_below(const int64_t *actions, ptrdiff_t N, ptrdiff_t A) noexcept

cdef outputs actions_made, gradients_made
arrays_prepare()


def epsilon_greedy(values, epsilon, rng, otherwise):
    """Actions (N,) int64 by values (N, A)."""
    actions = greedy_actions(values, epsilon, rng)
    return otherwise(values, epsilon, rng) if actions is None else actions


cdef object greedy_actions(values, double epsilon, rng):
    cdef arrays taken
    cdef int type
    cdef void *actions
    cdef Py_ssize_t N, A
    taken.count = 0
    try:
        type = take_floating(&taken, values, 2)
        if type < 0 or taken.at[0].shape[0] == 0 or taken.at[0].shape[1] == 0:
            return None
        N, A = taken.at[0].shape[0], taken.at[0].shape[1]
        made = new_output(&actions_made, INT64, N, 0, &actions)
        epsilon_greedy_of_type[type](taken.at[0].data, A, N, epsilon, bits_of(rng.bit_generator), <int64_t *> actions)
        return made
    finally:
        drop_arrays(&taken)


def sample_actions(output, rng, actions, otherwise):
    """Actions (N,) int64 by the logits in the first `actions` columns of output (N, M); None stands for M."""
    drawn = drawn_actions(output, rng, actions)
    return otherwise(output, rng, actions) if drawn is None else drawn


cdef object drawn_actions(output, rng, count):
    cdef arrays taken
    cdef int type
    cdef void *actions
    cdef Py_ssize_t N, row, A
    taken.count = 0
    try:
        type = take_floating(&taken, output, 2)
        if type < 0:
            return None
        N, row = taken.at[0].shape[0], taken.at[0].shape[1]
        A = row if count is None else count
        if N == 0 or not 1 <= A <= row:
            return None
        made = new_output(&actions_made, INT64, N, 0, &actions)
        sample_of_type[type](taken.at[0].data, row, A, N, bits_of(rng.bit_generator), <int64_t *> actions)
        return made
    finally:
        drop_arrays(&taken)


def policy_loss(logits, actions, advantages, entropy_weight, otherwise):
    """(loss, entropy, dlogits (N, A)) from logits (N, A), actions (N,) int64 and advantages (N,) of the logits' type."""
    cdef double values[3]
    dz = losses(logits, 0, actions, advantages, None, entropy_weight, 0, values)
    if dz is None:
        return otherwise(logits, actions, advantages, entropy_weight)
    return values[0], values[1], dz


def actor_critic_loss(output, actions, advantages, returns, entropy_weight, value_weight, otherwise):
    """(policy loss, entropy, value loss, doutput (N, A + 1)) from output (N, A + 1); doutput is of their weighted sum."""
    cdef double values[3]
    dz = losses(output, 1, actions, advantages, returns, entropy_weight, value_weight, values)
    if dz is None:
        return otherwise(output, actions, advantages, returns, entropy_weight, value_weight)
    return values[0], values[1], values[2], dz


cdef object losses(z, Py_ssize_t critic, actions, advantages, returns, double entropy_weight, double value_weight, double *values):
    cdef arrays taken
    cdef int type
    cdef Py_ssize_t N, row, A
    cdef void *dz
    taken.count = 0
    try:
        type = take_floating(&taken, z, 2)
        if type < 0 or not take_next(&taken, actions, INT64, 1) or not take_next(&taken, advantages, type, 1) \
                or (critic and not take_next(&taken, returns, type, 1)):
            return None
        N, row = taken.at[0].shape[0], taken.at[0].shape[1]
        A = row - critic
        if N == 0 or A < 1 or taken.at[1].shape[0] != N or taken.at[2].shape[0] != N \
                or (critic and taken.at[3].shape[0] != N) or not all_below(<int64_t *> taken.at[1].data, N, A) \
                or are_probabilities_of_type[type](taken.at[0].data, row, A, N):
            return None
        made = new_output(&gradients_made, type, N, row, &dz)
        policy_loss_of_type[type](taken.at[0].data, row, A, N, <int64_t *> taken.at[1].data, taken.at[2].data, entropy_weight,
                                  dz, values)
        if critic:
            values[2] = value_loss_of_type[type](taken.at[0].data, row, A, N, taken.at[3].data, value_weight, dz)
        return made
    finally:
        drop_arrays(&taken)
