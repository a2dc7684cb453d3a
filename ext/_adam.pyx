"""Adam in one pass over flat arrays, and the sum of squares for clipping by norm; float32 and float64.

    g  = clip(scale * grads, -clip_value, clip_value)
    m += (1 - beta1) * (g - m)
    v += (1 - beta2) * (g*g - v)
    params -= lr_t * m / (sqrt(v) + epsilon)          with lr_t = lr * sqrt(1 - beta2^t) / (1 - beta1^t)

This is the form with epsilon outside the bias correction (Kingma & Ba 2015, end of section 2).

Contract: lengths and types are checked by the caller; nothing here allocates, raises or holds the GIL. Results do not
depend on the number of threads.
Twin: nnlite/reference_adam.py; tests/ext keeps the two equal."""

from cpython.pycapsule cimport PyCapsule_GetPointer
from cython cimport floating

from nnlite_ext import _threads

cdef extern from "runtime.h" nogil:
    struct runtime:
        pass
    const char *NNLITE_RUNTIME_NAME

cdef extern from "adam.h" nogil:
    struct adam_job "adam":
        long long size
        void *params
        void *m
        void *v
        const void *grads
        double lr_t, beta1, beta2, epsilon, clip_value, scale
    void adam(const runtime *, adam_job *, int itemsize) noexcept
    double squares "sum_of_squares"(const runtime *, const void *x, long long size, int itemsize) noexcept

cdef const runtime *shared = <const runtime *> PyCapsule_GetPointer(_threads.runtime_capsule, NNLITE_RUNTIME_NAME)


def adam_step(
    floating[::1] params,         # IN/OUT (P,)
    const floating[::1] grads,    # IN     (P,)
    floating[::1] m,              # IN/OUT (P,) running mean of g
    floating[::1] v,              # IN/OUT (P,) running mean of g*g
    double lr_t,                  # learning rate with both bias corrections in it
    double beta1, double beta2, double epsilon,
    double clip_value,            # <= 0: no clipping
    double scale,                 # factor on every gradient, 1 for none
):
    """One step of Adam; the four arrays must not overlap."""
    cdef adam_job job
    if params.size == 0:
        return
    job.size, job.params, job.grads, job.m, job.v = params.shape[0], &params[0], &grads[0], &m[0], &v[0]
    job.lr_t, job.beta1, job.beta2, job.epsilon = lr_t, beta1, beta2, epsilon
    job.clip_value, job.scale = clip_value, scale
    with nogil:
        adam(shared, &job, sizeof(floating))


def sum_of_squares(const floating[::1] x) -> float:
    """The sum of x*x in float64: NaN or infinite exactly when x holds such a number (or, in float64, overflows)."""
    cdef double total
    if x.size == 0:
        return 0.0
    with nogil:
        total = squares(shared, &x[0], x.shape[0], sizeof(floating))
    return total
