"""The targets of Q-learning and the loss of the chosen actions' values, for float32 and float64.

    y[n]        = returns[n] + discounts[n] * next_q[n, argmax over a of chooser[n, a]]
    e[n]        = q[n, actions[n]] - targets[n]
    loss        = mean over n of e^2/2 where |e| <= delta, else delta (|e| - delta/2)
    dq[n, a]    = clip(e[n], -delta, delta) / N at a = actions[n], 0 elsewhere

Contract: shapes, types and actions are checked here. Arguments that do not fit go to `otherwise`, the twin. NaN stays NaN.
Results are new arrays.
Twin: nnlite/reference/td.py; tests/ext/test_td.py keeps the two equal."""

from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int64_t

include "numpy/arrays.pxi"
include "numpy/outputs.pxi"

cdef extern from "rows/td.h" nogil:
    ctypedef void (*td_target_function)(const void *returns, const void *discounts, const void *next_q, const void *chooser,
                                        ptrdiff_t N, ptrdiff_t A, void *y) noexcept
    ctypedef double (*td_loss_function)(const void *q, const int64_t *actions, const void *targets, ptrdiff_t N, ptrdiff_t A,
                                        double delta, void *dq) noexcept
    const td_target_function td_target_of_type[2]
    const td_loss_function td_loss_of_type[2]
    bint all_below(const int64_t *actions, ptrdiff_t N, ptrdiff_t A) noexcept

cdef outputs targets_made, gradients_made
arrays_prepare()


def td_target(returns, discounts, next_q, chooser, otherwise):
    """y (N,) from returns (N,), discounts (N,), next_q (N, A) and chooser (N, A); chooser None stands for next_q."""
    y = target_of(returns, discounts, next_q, next_q if chooser is None else chooser)
    return otherwise(returns, discounts, next_q, chooser) if y is None else y


cdef object target_of(returns, discounts, next_q, chooser):
    cdef arrays taken
    cdef int type
    taken.count = 0
    try:
        type = take_floating(&taken, next_q, 2)
        if type < 0 or not take_next(&taken, returns, type, 1) or not take_next(&taken, discounts, type, 1) \
                or not take_next(&taken, chooser, type, 2):
            return None
        return new_target(&taken.at[0], &taken.at[1], &taken.at[2], &taken.at[3], type)
    finally:
        drop_arrays(&taken)


cdef object new_target(numbers *next_q, numbers *returns, numbers *discounts, numbers *chooser, int type):
    cdef Py_ssize_t N = next_q.shape[0], A = next_q.shape[1]
    cdef void *y
    if N == 0 or A == 0 or returns.shape[0] != N or discounts.shape[0] != N or chooser.shape[0] != N or chooser.shape[1] != A:
        return None
    made = new_output(&targets_made, type, N, 0, &y)
    td_target_of_type[type](returns.data, discounts.data, next_q.data, chooser.data, N, A, y)
    return made


def td_loss(q, actions, targets, delta, otherwise):
    """(loss, dq (N, A)) from q (N, A), actions (N,) int64, targets (N,); delta > 0, infinity for half the squared error."""
    loss = loss_of(q, actions, targets, delta)
    return otherwise(q, actions, targets, delta) if loss is None else loss


cdef object loss_of(q, actions, targets, double delta):
    cdef arrays taken
    cdef int type
    taken.count = 0
    try:
        type = take_floating(&taken, q, 2)
        if type < 0 or not take_next(&taken, actions, INT64, 1) or not take_next(&taken, targets, type, 1):
            return None
        return new_loss(&taken.at[0], &taken.at[1], &taken.at[2], type, delta)
    finally:
        drop_arrays(&taken)


cdef object new_loss(numbers *q, numbers *actions, numbers *targets, int type, double delta):
    cdef Py_ssize_t N = q.shape[0], A = q.shape[1]
    cdef int64_t *chosen = <int64_t *> actions.data
    cdef void *dq
    if N == 0 or A == 0 or actions.shape[0] != N or targets.shape[0] != N or not delta > 0 or not all_below(chosen, N, A):
        return None
    made = new_output(&gradients_made, type, N, A, &dq)
    return td_loss_of_type[type](q.data, chosen, targets.data, N, A, delta, dq), made
