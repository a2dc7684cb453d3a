"""Adam bound to its four flat arrays: one call checks the gradient, clips it and changes the parameters; float32 and float64.

    norm = sqrt(sum of grads^2);  scale = clip_norm / norm where that is below 1, else 1
    and with the norm of each variable's grads, likewise, its own scale = clip_variables / norm
    g  = clip(scale * scale of the variable * grads, -clip_value, clip_value)
    m += (1 - beta1) * (g - m)
    v += (1 - beta2) * (g*g - v)
    params -= lr_t * m / (sqrt(v) + epsilon)          with lr_t = lr * sqrt(1 - beta2^t) / (1 - beta1^t)

This is the form with epsilon outside the bias correction (Kingma & Ba 2015, end of section 2). Bound once, because on a small
network looking at four arrays costs more than the arithmetic. Numbers too small for the normal range of their type count as
zero, see flushed.h.

Contract: the arrays are never rebound; nothing here allocates; the GIL is released for LONG arrays. Results do not depend on
the number of threads.
Twin: nnlite/reference/adam.py; tests/ext/test_adam.py keeps the two equal."""

from cpython.pycapsule cimport PyCapsule_GetPointer
from cython cimport floating
from libc.math cimport isfinite, pow, sqrt
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int64_t

import numpy as np
from nnlite_ext import _threads

cdef extern from "threads/runtime.h" nogil:
    struct runtime:
        pass
    const char *NNLITE_RUNTIME_NAME

include "numpy/arrays.pxi"

cdef extern from "adam/flushed.h" nogil:
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
    void flushed_adam_by_variable(const runtime *, const flushed *, const int64_t *edges, const double *squares,
                                  ptrdiff_t variables, double most, int itemsize) noexcept
    double squares_of "sum_of_squares"(const runtime *, const void *x, long long size, int itemsize) noexcept

cdef enum:
    LONG = 8192

cdef const runtime *shared = <const runtime *> PyCapsule_GetPointer(_threads.runtime_capsule, NNLITE_RUNTIME_NAME)
arrays_prepare()


cdef class BoundAdam:
    """Steps on params (P,) with grads (P,) and the moments m, v (P,), all of one floating type.

    edges  (V + 1,) int64: where each of the V variables begins, from 0 on, and P
    """

    cdef flushed job
    cdef int itemsize
    cdef object arrays
    cdef const int64_t *edges
    cdef double *squares                         # of each variable's gradient
    cdef ptrdiff_t variables

    def __cinit__(self, params, grads, m, v, edges):
        if not params.dtype == grads.dtype == m.dtype == v.dtype or not params.shape == grads.shape == m.shape == v.shape:
            raise ValueError("params, grads and moments must be alike")
        self.variables = len(edges) - 1
        if self.variables < 1 or edges[0] != 0 or edges[self.variables] != params.shape[0] or (np.diff(edges) < 0).any():
            raise ValueError("edges must rise from 0 to the size of params")
        squares = np.zeros(self.variables)
        self.edges = <const int64_t *> where(edges, INT64)
        self.squares = <double *> where(squares, FLOAT64)
        self.arrays, self.itemsize = (params, grads, m, v, edges, squares), params.dtype.itemsize
        self.job.adam.size = params.shape[0]
        type = FLOAT32 if self.itemsize == 4 else FLOAT64
        self.job.adam.params, self.job.adam.grads = where(params, type), where(grads, type)
        self.job.adam.m, self.job.adam.v = where(m, type), where(v, type)

    def step(self, double learning_rate, double beta1, double beta2, double epsilon, double clip_value, double clip_norm,
             double clip_variables, long long t):
        """Step number t, from 1. False, with nothing changed, when the gradient holds NaN or infinity.

        clip_value      limit of each element
        clip_norm       of the norm of the whole gradient
        clip_variables  of the norm of each variable's
        For each of them 0 means no clipping.
        """
        cdef adam_job *job = &self.job.adam
        cdef bint finite
        job.lr_t = learning_rate * sqrt(1 - pow(beta2, <double> t)) / (1 - pow(beta1, <double> t))
        job.beta1, job.beta2, job.epsilon, job.clip_value = beta1, beta2, epsilon, clip_value
        if job.size < LONG:
            return self.checked_step(clip_norm, clip_variables)
        with nogil:
            finite = self.checked_step(clip_norm, clip_variables)
        return finite

    cdef bint checked_step(self, double clip_norm, double clip_variables) noexcept nogil:
        cdef double norm = sqrt(self.sum_up(clip_variables > 0))
        if not isfinite(norm):
            return False
        self.job.adam.scale = clip_norm / norm if 0 < clip_norm < norm else 1.0
        if 0 < clip_variables < norm:            # else no single variable can be above it
            flushed_adam_by_variable(
                shared, &self.job, self.edges, self.squares, self.variables, clip_variables, self.itemsize)
        else:
            flushed_adam(shared, &self.job, self.itemsize)
        return True

    cdef double sum_up(self, bint each) noexcept nogil:
        """The sum of squares of the gradient; of each variable's, too, on the way if asked for."""
        cdef const char *grads = <const char *> self.job.adam.grads
        cdef double sum = 0
        cdef ptrdiff_t i
        if not each:
            return squares_of(shared, grads, self.job.adam.size, self.itemsize)
        for i in range(self.variables):
            self.squares[i] = squares_of(
                shared, grads + self.edges[i] * self.itemsize, self.edges[i + 1] - self.edges[i], self.itemsize)
            sum += self.squares[i]
        return sum


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
