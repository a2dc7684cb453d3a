"""Adam bound to its four flat arrays: one call checks the gradient, clips it and changes the parameters; float32 and float64.

    norm = sqrt(sum of grads^2);  scale = clip_norm / norm where that is below 1, else 1
    each variable's grads are scaled down to the norm clip_variables
    g  = clip(scale * grads, -clip_value, clip_value)
    m += (1 - beta1) * (g - m)
    v += (1 - beta2) * (g*g - v)
    params -= lr_t * m / (sqrt(v) + epsilon)          with lr_t = lr * sqrt(1 - beta2^t) / (1 - beta1^t)

This is the form with epsilon outside the bias correction (Kingma & Ba 2015, end of section 2). Bound once, because on a small
network looking at four arrays costs more than the arithmetic. Numbers too small for the normal range of their type count as
zero, see flushed_adam.h.

Contract: the arrays are never rebound; nothing here allocates; the GIL is released for LONG arrays. Results do not depend on
the number of threads.
Twin: nnlite/reference_adam.py; tests/ext keeps the two equal."""

from cpython.pycapsule cimport PyCapsule_GetPointer
from cython cimport floating
from libc.math cimport isfinite, pow, sqrt
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int64_t

from nnlite_ext import _threads

cdef extern from "runtime.h" nogil:
    struct runtime:
        pass
    const char *NNLITE_RUNTIME_NAME

include "arrays.pxi"

cdef extern from "flushed_adam.h" nogil:
    struct adam_job "adam":
        long long size
        void *params
        void *m
        void *v
        const void *grads
        double lr_t, beta1, beta2, epsilon, clip_value, scale
    struct flushed:
        adam_job adam
    void flushed_adam(const runtime *, flushed *, int itemsize) noexcept
    void clip_each(const runtime *, void *grads, const int64_t *edges, ptrdiff_t variables, double most, int itemsize) noexcept
    double squares_of "sum_of_squares"(const runtime *, const void *x, long long size, int itemsize) noexcept

cdef enum:
    LONG = 8192

cdef const runtime *shared = <const runtime *> PyCapsule_GetPointer(_threads.runtime_capsule, NNLITE_RUNTIME_NAME)
arrays_prepare()


cdef class BoundAdam:
    """Steps on params (P,) with grads (P,) and the moments m, v (P,), all of one floating type.

    edges  (2 V,) int64: where each of the V variables begins and ends, for clip_each
    """

    cdef flushed job
    cdef int itemsize
    cdef object arrays
    cdef const int64_t *edges
    cdef ptrdiff_t variables

    def __cinit__(self, params, grads, m, v, edges):
        if not params.dtype == grads.dtype == m.dtype == v.dtype or not params.shape == grads.shape == m.shape == v.shape:
            raise ValueError("params, grads and moments must be alike")
        if len(edges) % 2 or any(not 0 <= edge <= params.shape[0] for edge in edges):
            raise ValueError("edges must be a beginning and an end inside params for each variable")
        self.edges, self.variables = <const int64_t *> where(edges, INT64), len(edges) // 2
        self.arrays, self.itemsize = (params, grads, m, v, edges), params.dtype.itemsize
        self.job.adam.size = params.shape[0]
        type = FLOAT32 if self.itemsize == 4 else FLOAT64
        self.job.adam.params, self.job.adam.grads = where(params, type), where(grads, type)
        self.job.adam.m, self.job.adam.v = where(m, type), where(v, type)

    def step(self, double learning_rate, double beta1, double beta2, double epsilon, double clip_value, double clip_norm,
             double clip_variables, long long t):
        """Step number t, from 1. False, with nothing changed, when the gradient holds NaN or infinity.

        clip_value      limit of each element
        clip_norm       of the norm of the whole gradient
        clip_variables  of the norm of each variable's; the gradient itself is scaled down
        For each of them 0 means no clipping.
        """
        cdef adam_job *job = &self.job.adam
        cdef bint finite
        job.lr_t = learning_rate * sqrt(1 - pow(beta2, <double> t)) / (1 - pow(beta1, <double> t))
        job.beta1, job.beta2, job.epsilon, job.clip_value = beta1, beta2, epsilon, clip_value
        if job.size < LONG:
            return checked_step(&self.job, clip_norm, clip_variables, self.edges, self.variables, self.itemsize)
        with nogil:
            finite = checked_step(&self.job, clip_norm, clip_variables, self.edges, self.variables, self.itemsize)
        return finite


cdef bint checked_step(flushed *job, double clip_norm, double clip_variables, const int64_t *edges, ptrdiff_t variables,
                       int itemsize) noexcept nogil:
    cdef double norm = sqrt(squares_of(shared, job.adam.grads, job.adam.size, itemsize))
    if not isfinite(norm):
        return False
    if 0 < clip_variables < norm:                # else no single variable can be above it
        clip_each(shared, <void *> job.adam.grads, edges, variables, clip_variables, itemsize)
    job.adam.scale = clip_norm / norm if 0 < clip_norm < norm else 1.0
    flushed_adam(shared, job, itemsize)
    return True


cdef void *where(flat, int type) except NULL:
    """The first number of a flat array; the array is kept by the caller and never moves."""
    cdef numbers found
    if not take_array(flat, type, 1, &found):
        raise ValueError("params, grads and moments must be flat, contiguous float32 or float64, edges int64")
    drop_array(&found)
    return found.data


def sum_of_squares(const floating[::1] x) -> float:
    """The sum of x*x in float64: NaN or infinite exactly when x holds such a number (or, in float64, overflows)."""
    cdef double total
    if x.size == 0:
        return 0.0
    with nogil:
        total = squares_of(shared, &x[0], x.shape[0], sizeof(floating))
    return total
