"""Adam bound to its four flat arrays: one call checks and clips the gradient and updates the parameters; float32, float64.

    norm = sqrt(sum of grads^2);  scale = min(clip_norm / norm, 1)
    and for the norm of each variable's grads another scale = min(clip_variables / norm, 1)
    g  = clip(scale * scale of the variable * grads, -clip_value, clip_value)
    m += (1 - beta1) * (g - m)
    v += (1 - beta2) * (g*g - v)
    params -= lr_t * m / (sqrt(v) + epsilon)          with lr_t = lr * sqrt(1 - beta2^t) / (1 - beta1^t)

This is the form with epsilon outside the bias correction (Kingma & Ba 2015, end of section 2). The arrays are bound once,
because on a small network checking four arrays costs more than the arithmetic. Subnormal numbers count as zero, see
adam/flushed.h.

Contract: the arrays are never rebound. Steps do not allocate. Long arrays release the GIL. Results do not depend on the number
of threads.
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

cpdef enum:
    LONG = 8192                                  # numbers: arrays of this size and larger release the GIL

cdef const runtime *shared = <const runtime *> PyCapsule_GetPointer(_threads.runtime_capsule, NNLITE_RUNTIME_NAME)
arrays_prepare()


cdef class BoundAdam:
    """Steps on params (P,) with grads (P,) and the moments m, v (P,), all of one floating type.

    edges  (V + 1,) int64: the start of each of the V variables, from 0 on, and P
    """

    cdef flushed job
    cdef double learning_rate, clip_norm, clip_variables
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
        """Do step t, from 1 on, with these settings. False, with nothing changed, when the gradient holds NaN or infinity."""
        self.configure(learning_rate, beta1, beta2, epsilon, clip_value, clip_norm, clip_variables)
        return self.advance(t)

    def configure(self, double learning_rate, double beta1, double beta2, double epsilon, double clip_value,
                  double clip_norm, double clip_variables):
        """Use these settings from now on.

        clip_value      limit of each element; 0: no limit, here and below
        clip_norm       limit of the norm of the whole gradient
        clip_variables  limit of the norm of each variable's gradient
        """
        cdef adam_job *job = &self.job.adam
        self.learning_rate, self.clip_norm, self.clip_variables = learning_rate, clip_norm, clip_variables
        job.beta1, job.beta2, job.epsilon, job.clip_value = beta1, beta2, epsilon, clip_value

    def advance(self, long long t):
        """Do step t, from 1 on. False, with nothing changed, when the gradient holds NaN or infinity."""
        cdef adam_job *job = &self.job.adam
        cdef bint finite
        job.lr_t = self.learning_rate * sqrt(1 - pow(job.beta2, <double> t)) / (1 - pow(job.beta1, <double> t))
        if job.size < LONG:
            return self.checked_step(self.clip_norm, self.clip_variables)
        with nogil:
            finite = self.checked_step(self.clip_norm, self.clip_variables)
        return finite

    cdef bint checked_step(self, double clip_norm, double clip_variables) noexcept nogil:
        cdef double norm = sqrt(self.sum_up(clip_variables > 0))
        if not isfinite(norm):
            return False
        self.job.adam.scale = clip_norm / norm if 0 < clip_norm < norm else 1.0
        if 0 < clip_variables < norm:            # else no variable can exceed it
            flushed_adam_by_variable(
                shared, &self.job, self.edges, self.squares, self.variables, clip_variables, self.itemsize)
        else:
            flushed_adam(shared, &self.job, self.itemsize)
        return True

    cdef double sum_up(self, bint each) noexcept nogil:
        """The sum of squares of the gradient; with `each`, store that of each variable in self.squares."""
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
    """The address of a flat array's first number; the caller keeps the array, which never moves."""
    cdef numbers found
    if not take_array(flat, type, 1, &found):
        raise ValueError("params, grads and moments must be flat, contiguous float32 or float64, edges int64")
    drop_array(&found)
    return found.data


def sum_of_squares(const floating[::1] x) -> float:
    """The sum of x*x in float64. It is NaN or infinite if and only if x holds such a number, or a float64 sum overflows."""
    cdef double total
    if x.size == 0:
        return 0.0
    with nogil:
        total = squares_of(shared, &x[0], x.shape[0], sizeof(floating))
    return total
