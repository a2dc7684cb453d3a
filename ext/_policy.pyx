"""Choosing actions by a network's output, and the losses of a policy, for float32 and float64.

    epsilon_greedy   a uniform action with probability epsilon, else argmax over a of z[n, a]
    sample_actions   a drawn with probability softmax(z[n])[a]
    policy_loss      loss = -mean A log pi(a|s), entropy = -mean sum_b pi_b log pi_b, and the derivative of
                     loss - weight * entropy by the logits
    actor_critic_loss  the same where one more column of z is the critic's V(s), with mean (V - G)^2 beside it

Contract: shapes, types and actions are checked here; what does not fit is answered with None, and the caller converts or
refuses. Random numbers come from the caller's own bit generator, one or two a row. Results are new arrays.
Twin: the NumPy text of rl/core/policy.py; tests/rl/core/test_policy.py keeps the two equal."""

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int64_t

include "numpy/arrays.pxi"
include "numpy/outputs.pxi"

cdef extern from "rows/policy.h" nogil:
    bint all_below(const int64_t *actions, ptrdiff_t N, ptrdiff_t A) noexcept
    struct bitgen:
        pass
    void epsilon_greedy_float(const float *, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, double, bitgen *, int64_t *) noexcept
    void epsilon_greedy_double(const double *, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, double, bitgen *, int64_t *) noexcept
    void sample_float(const float *, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, bitgen *, int64_t *) noexcept
    void sample_double(const double *, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, bitgen *, int64_t *) noexcept
    void policy_loss_float(const float *, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, const int64_t *, const float *, double,
                           float *, double *) noexcept
    void policy_loss_double(const double *, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, const int64_t *, const double *, double,
                            double *, double *) noexcept
    double value_loss_float(const float *, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, const float *, double, float *) noexcept
    double value_loss_double(const double *, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, const double *, double, double *) noexcept

cdef outputs actions_made, gradients_made
arrays_prepare()


cdef inline bitgen *bits_of(bit_generator) except NULL:
    return <bitgen *> PyCapsule_GetPointer(bit_generator.capsule, "BitGenerator")


cdef inline int take_floats(arrays *taken, x) except -1:
    """FLOAT32 or FLOAT64 where x (N, M) is one of them, else -2."""
    if take_next(taken, x, FLOAT32, 2):
        return FLOAT32
    return FLOAT64 if take_next(taken, x, FLOAT64, 2) else -2


def epsilon_greedy(z, double epsilon, bit_generator):
    """Actions (N,) int64 by values z (N, A)."""
    cdef arrays taken
    cdef void *actions
    cdef Py_ssize_t N, A
    taken.count = 0
    try:
        type = take_floats(&taken, z)
        if type == -2 or taken.at[0].shape[0] == 0 or taken.at[0].shape[1] == 0:
            return None
        N, A = taken.at[0].shape[0], taken.at[0].shape[1]
        made = new_output(&actions_made, INT64, N, 0, &actions)
        if type == FLOAT32:
            epsilon_greedy_float(<float *> taken.at[0].data, A, A, N, epsilon, bits_of(bit_generator), <int64_t *> actions)
        else:
            epsilon_greedy_double(<double *> taken.at[0].data, A, A, N, epsilon, bits_of(bit_generator), <int64_t *> actions)
        return made
    finally:
        drop_arrays(&taken)


def sample_actions(z, Py_ssize_t A, bit_generator):
    """Actions (N,) int64 by the logits in the first A columns of z (N, M)."""
    cdef arrays taken
    cdef void *actions
    cdef Py_ssize_t N, row
    taken.count = 0
    try:
        type = take_floats(&taken, z)
        if type == -2 or taken.at[0].shape[0] == 0 or not 1 <= A <= taken.at[0].shape[1]:
            return None
        N, row = taken.at[0].shape[0], taken.at[0].shape[1]
        made = new_output(&actions_made, INT64, N, 0, &actions)
        if type == FLOAT32:
            sample_float(<float *> taken.at[0].data, row, A, N, bits_of(bit_generator), <int64_t *> actions)
        else:
            sample_double(<double *> taken.at[0].data, row, A, N, bits_of(bit_generator), <int64_t *> actions)
        return made
    finally:
        drop_arrays(&taken)


def policy_loss(z, actions, advantages, double entropy_weight):
    """(loss, entropy, dz (N, A)) from logits z (N, A), actions (N,) int64 and advantages (N,) of z's type."""
    cdef double values[3]
    dz = losses(z, 0, actions, advantages, None, entropy_weight, 0, values)
    return None if dz is None else (values[0], values[1], dz)


def actor_critic_loss(z, actions, advantages, returns, double entropy_weight, double value_weight):
    """(policy loss, entropy, value loss, dz (N, A + 1)) from z (N, A + 1); dz is of their weighted sum."""
    cdef double values[3]
    dz = losses(z, 1, actions, advantages, returns, entropy_weight, value_weight, values)
    return None if dz is None else (values[0], values[1], values[2], dz)


cdef object losses(z, Py_ssize_t critic, actions, advantages, returns, double entropy_weight, double value_weight, double *values):
    cdef arrays taken
    cdef Py_ssize_t N, row, A
    cdef void *dz
    taken.count = 0
    try:
        type = take_floats(&taken, z)
        if type == -2 or not take_next(&taken, actions, INT64, 1) or not take_next(&taken, advantages, type, 1) \
                or (critic and not take_next(&taken, returns, type, 1)):
            return None
        N, row = taken.at[0].shape[0], taken.at[0].shape[1]
        A = row - critic
        if N == 0 or A < 1 or taken.at[1].shape[0] != N or taken.at[2].shape[0] != N \
                or (critic and taken.at[3].shape[0] != N) or not all_below(<int64_t *> taken.at[1].data, N, A):
            return None
        made = new_output(&gradients_made, type, N, row, &dz)
        if type == FLOAT32:
            policy_loss_float(<float *> taken.at[0].data, row, A, N, <int64_t *> taken.at[1].data, <float *> taken.at[2].data,
                              entropy_weight, <float *> dz, values)
            if critic:
                values[2] = value_loss_float(<float *> taken.at[0].data, row, A, N, <float *> taken.at[3].data, value_weight,
                                             <float *> dz)
        else:
            policy_loss_double(<double *> taken.at[0].data, row, A, N, <int64_t *> taken.at[1].data, <double *> taken.at[2].data,
                               entropy_weight, <double *> dz, values)
            if critic:
                values[2] = value_loss_double(<double *> taken.at[0].data, row, A, N, <double *> taken.at[3].data, value_weight,
                                              <double *> dz)
        return made
    finally:
        drop_arrays(&taken)
