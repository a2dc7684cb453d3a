"""The cross-entropy of a softmax, taken from the logits, for float32 and float64.

    loss     = -mean over n of  sum over k  target[n, k] * log softmax(logits[n])[k]
    dz[n, k] = (softmax(logits[n])[k] * sum of target[n] - target[n, k]) / N

Contract: shapes and types are checked here; what does not fit is answered with None, and the caller converts or refuses.
The result is a new array; NaN and infinite logits give a loss that is not finite.
Twin: nnlite/losses.py; tests/ext/test_dense.py keeps the two equal."""

from libc.stddef cimport ptrdiff_t

include "numpy/arrays.pxi"
include "numpy/outputs.pxi"

cdef extern from "rows/crossentropy.h" nogil:
    double crossentropy_float(const float *, const float *, ptrdiff_t N, ptrdiff_t K, float *) noexcept
    double crossentropy_double(const double *, const double *, ptrdiff_t N, ptrdiff_t K, double *) noexcept

cdef outputs gradients_made
arrays_prepare()


def crossentropy(logits, target):
    """(loss, dz (N, K)) from logits (N, K) and target (N, K), the right answer's column 1 or any shares."""
    cdef arrays taken
    cdef int type
    taken.count = 0
    try:
        type = FLOAT32 if take_next(&taken, logits, FLOAT32, 2) else FLOAT64
        if (not taken.count and not take_next(&taken, logits, type, 2)) or not take_next(&taken, target, type, 2):
            return None
        return loss_of(&taken.at[0], &taken.at[1], type)
    finally:
        drop_arrays(&taken)


cdef object loss_of(numbers *logits, numbers *target, int type):
    cdef Py_ssize_t N = logits.shape[0], K = logits.shape[1]
    cdef double value
    cdef void *dz
    if N == 0 or K == 0 or target.shape[0] != N or target.shape[1] != K:
        return None
    made = new_output(&gradients_made, type, N, K, &dz)
    if type == FLOAT32:
        value = crossentropy_float(<float *> logits.data, <float *> target.data, N, K, <float *> dz)
    else:
        value = crossentropy_double(<double *> logits.data, <double *> target.data, N, K, <double *> dz)
    return value, made
