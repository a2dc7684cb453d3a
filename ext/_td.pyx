"""The targets of Q-learning and the loss of the chosen actions' values, for float32 and float64.

    y[n]        = returns[n] + discounts[n] * next_q[n, argmax over a of chooser[n, a]]
    e[n]        = q[n, actions[n]] - targets[n]
    loss        = mean over n of e^2/2 where |e| <= delta, else delta (|e| - delta/2)
    dq[n, a]    = clip(e[n], -delta, delta) / N at a = actions[n], 0 elsewhere

Contract: shapes, types and actions are checked here; what does not fit is answered with None, and the caller converts or
refuses. NaN stays NaN. Results are new arrays.
Twin: nnlite/reference/td.py; tests/ext/test_dense.py keeps the two equal."""

from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int64_t

include "numpy/arrays.pxi"
include "numpy/outputs.pxi"

cdef extern from "rows/td.h" nogil:
    void td_target_float(const float *, const float *, const float *, const float *, ptrdiff_t, ptrdiff_t, float *) noexcept
    void td_target_double(const double *, const double *, const double *, const double *, ptrdiff_t, ptrdiff_t, double *) noexcept
    double td_loss_float(const float *, const int64_t *, const float *, ptrdiff_t, ptrdiff_t, double, float *) noexcept
    double td_loss_double(const double *, const int64_t *, const double *, ptrdiff_t, ptrdiff_t, double, double *) noexcept
    bint all_below(const int64_t *actions, ptrdiff_t N, ptrdiff_t A) noexcept

cdef outputs targets_made, gradients_made
arrays_prepare()


def td_target(returns, discounts, next_q, chooser=None):
    """y (N,) from returns (N,), discounts (N,), next_q (N, A) and chooser (N, A), next_q itself when left out."""
    cdef arrays taken
    cdef int type
    taken.count = 0
    try:
        type = FLOAT32 if take_next(&taken, next_q, FLOAT32, 2) else FLOAT64
        if (not taken.count and not take_next(&taken, next_q, type, 2)) or not take_next(&taken, returns, type, 1) \
                or not take_next(&taken, discounts, type, 1) \
                or not take_next(&taken, next_q if chooser is None else chooser, type, 2):
            return None
        return target_of(&taken.at[0], &taken.at[1], &taken.at[2], &taken.at[3], type)
    finally:
        drop_arrays(&taken)


cdef object target_of(numbers *next_q, numbers *returns, numbers *discounts, numbers *chooser, int type):
    cdef Py_ssize_t N = next_q.shape[0], A = next_q.shape[1]
    cdef void *y
    if N == 0 or A == 0 or returns.shape[0] != N or discounts.shape[0] != N or chooser.shape[0] != N or chooser.shape[1] != A:
        return None
    made = new_output(&targets_made, type, N, 0, &y)
    if type == FLOAT32:
        td_target_float(<float *> returns.data, <float *> discounts.data, <float *> next_q.data, <float *> chooser.data,
                        N, A, <float *> y)
    else:
        td_target_double(<double *> returns.data, <double *> discounts.data, <double *> next_q.data, <double *> chooser.data,
                         N, A, <double *> y)
    return made


def td_loss(q, actions, targets, double delta=1.0):
    """(loss, dq (N, A)) from q (N, A), actions (N,) int64 and targets (N,); delta > 0, infinity for half the squared error."""
    cdef arrays taken
    cdef int type
    taken.count = 0
    try:
        type = FLOAT32 if take_next(&taken, q, FLOAT32, 2) else FLOAT64
        if (not taken.count and not take_next(&taken, q, type, 2)) or not take_next(&taken, actions, INT64, 1) \
                or not take_next(&taken, targets, type, 1):
            return None
        return loss_of(&taken.at[0], &taken.at[1], &taken.at[2], type, delta)
    finally:
        drop_arrays(&taken)


cdef object loss_of(numbers *q, numbers *actions, numbers *targets, int type, double delta):
    cdef Py_ssize_t N = q.shape[0], A = q.shape[1]
    cdef int64_t *chosen = <int64_t *> actions.data
    cdef double value
    cdef void *dq
    if N == 0 or A == 0 or actions.shape[0] != N or targets.shape[0] != N or not delta > 0 or not all_below(chosen, N, A):
        return None
    made = new_output(&gradients_made, type, N, A, &dq)
    if type == FLOAT32:
        value = td_loss_float(<float *> q.data, chosen, <float *> targets.data, N, A, delta, <float *> dq)
    else:
        value = td_loss_double(<double *> q.data, chosen, <double *> targets.data, N, A, delta, <double *> dq)
    return value, made
