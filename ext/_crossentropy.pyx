"""The cross-entropy of a softmax, taken from the logits, for float32 and float64.

    loss     = -mean over n of  sum over k  target[n, k] * log softmax(logits[n])[k]
    dz[n, k] = (softmax(logits[n])[k] * sum of target[n] - target[n, k]) / N

Contract: shapes and types are checked here. Arguments that do not fit go to `otherwise`, the twin. The result is a new
array. NaN and infinite logits give a loss that is not finite.
Twin: nnlite/reference/crossentropy.py; tests/ext/test_crossentropy.py keeps the two equal."""

from libc.stddef cimport ptrdiff_t

include "numpy/arrays.pxi"
include "numpy/outputs.pxi"

cdef extern from "rows/crossentropy.h" nogil:
    ctypedef double (*crossentropy_function)(const void *logits, const void *target, ptrdiff_t N, ptrdiff_t K,
                                             void *dz) noexcept
    const crossentropy_function crossentropy_of_type[2]

cdef outputs gradients_made
arrays_prepare()


def crossentropy(logits, target, otherwise):
    """(loss, dz (N, K)) from logits (N, K) and target (N, K), the right answer's column 1 or any shares."""
    loss = loss_of(logits, target)
    return otherwise(logits, target) if loss is None else loss


cdef object loss_of(logits, target):
    cdef arrays taken
    cdef int type
    taken.count = 0
    try:
        type = take_floating(&taken, logits, 2)
        if type < 0 or not take_next(&taken, target, type, 2):
            return None
        return new_loss(&taken.at[0], &taken.at[1], type)
    finally:
        drop_arrays(&taken)


cdef object new_loss(numbers *logits, numbers *target, int type):
    cdef Py_ssize_t N = logits.shape[0], K = logits.shape[1]
    cdef void *dz
    if N == 0 or K == 0 or target.shape[0] != N or target.shape[1] != K:
        return None
    made = new_output(&gradients_made, type, N, K, &dz)
    return crossentropy_of_type[type](logits.data, target.data, N, K, dz), made
