"""Returns and advantages of a rollout, for float32: T steps of E games, from the last to the first.

    G_t = r_t + gamma G_{t+1}                                     G_{t+1} = next_values[t] where the game was over
    A_t = delta_t + gamma lam A_{t+1},  delta_t = r_t + gamma next_values[t] - values[t],  A_{t+1} = 0 where it was over
    and next_values[t] = 0 where it terminated

Contract: shapes and types are checked here. Arguments that do not fit go to `otherwise`, the twin. Results are new arrays.
Twin: nnlite/reference/returns.py; tests/ext/test_returns.py keeps the two equal."""

from libc.stddef cimport ptrdiff_t
from libc.stdint cimport uint8_t

include "numpy/arrays.pxi"
include "numpy/outputs.pxi"

cdef outputs made
arrays_prepare()


def discounted_returns(rewards, terminated, done, next_values, gamma, otherwise):
    """G (T, E) from rewards, next_values (T, E) float32, terminated and done (T, E) bool."""
    returns = backwards(rewards, terminated, done, next_values, None, gamma, 1)
    return otherwise(rewards, terminated, done, next_values, gamma) if returns is None else returns


def generalized_advantages(rewards, values, next_values, terminated, done, gamma, lam, otherwise):
    """A (T, E) from rewards, values, next_values (T, E) float32, terminated and done (T, E) bool."""
    advantages = backwards(rewards, terminated, done, next_values, values, gamma, lam)
    if advantages is None:
        return otherwise(rewards, values, next_values, terminated, done, gamma, lam)
    return advantages


cdef object backwards(rewards, terminated, done, next_values, values, float gamma, float lam):
    cdef arrays taken
    cdef void *result
    cdef int i
    cdef Py_ssize_t T, E
    taken.count = 0
    try:
        if not take_next(&taken, rewards, FLOAT32, 2) or not take_next(&taken, terminated, BOOL, 2) \
                or not take_next(&taken, done, BOOL, 2) or not take_next(&taken, next_values, FLOAT32, 2) \
                or (values is not None and not take_next(&taken, values, FLOAT32, 2)):
            return None
        T, E = taken.at[0].shape[0], taken.at[0].shape[1]
        for i in range(1, taken.count):
            if taken.at[i].shape[0] != T or taken.at[i].shape[1] != E:
                return None
        if T == 0 or E == 0:
            return None
        new = new_output(&made, FLOAT32, T, E, &result)
        fill(T, E, <float *> taken.at[0].data, <uint8_t *> taken.at[1].data, <uint8_t *> taken.at[2].data,
             <float *> taken.at[3].data, NULL if values is None else <float *> taken.at[4].data, gamma, lam, <float *> result)
        return new
    finally:
        drop_arrays(&taken)


cdef void fill(
    Py_ssize_t T, Py_ssize_t E, const float *rewards, const uint8_t *terminated, const uint8_t *done,
    const float *next_values, const float *values, float gamma, float lam, float *result,
) noexcept nogil:
    cdef Py_ssize_t at
    cdef float beyond, following
    for at in range(T * E - 1, -1, -1):
        beyond = 0 if terminated[at] else next_values[at]
        following = result[at + E] if at + E < T * E else 0
        if values is not NULL:
            result[at] = rewards[at] + gamma * beyond - values[at] + (0 if done[at] else gamma * lam * following)
        else:
            if done[at] or at + E >= T * E:
                following = beyond
            result[at] = rewards[at] + gamma * following
