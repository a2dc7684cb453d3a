"""The three products of a Dense layer, for float32 and float64.

    y[n, m]       = bias[m] + sum over d  x[n, d] * kernel[d, m]         (then max(y, 0))
    dkernel[d, m] = sum over n  x[n, d] * dy[n, m],   dbias[m] = sum over n  dy[n, m]
    dx[n, d]      = sum over m  dy[n, m] * kernel[d, m]

The kernel is read once, in place: with few rows in x, reading it from memory is most of the cost. These kernels beat
BLAS by that and by threads. On one thread BLAS is level from about 128 rows on, and for kernel_gradient and input_gradient
of fewer than 8 rows.

Contract: the caller checks shapes and types. Nothing here allocates, raises or holds the GIL. Every cell of an output is
written. Results do not depend on the number of threads.
Twin: nnlite/reference/linear.py; tests/ext/test_linear.py keeps the two equal."""

from cpython.pycapsule cimport PyCapsule_GetPointer
from cython cimport floating
from libc.stddef cimport ptrdiff_t

from nnlite_ext import _threads

cdef extern from "threads/runtime.h" nogil:
    struct runtime:
        pass
    const char *NNLITE_RUNTIME_NAME

cdef extern from "linear/linear.h" nogil:
    struct linear:
        ptrdiff_t batch, inputs, outputs
        const void *x
        const void *kernel
        const void *bias
        void *y
        void *dkernel
        void *dbias
        void *dx
        void *workspace
        int relu
    void linear_forward(const runtime *, linear *, int itemsize) noexcept
    void linear_kernel_gradient(const runtime *, linear *, int itemsize) noexcept
    void linear_input_gradient(const runtime *, linear *, int itemsize) noexcept
    ptrdiff_t linear_workspace_size(ptrdiff_t batch, ptrdiff_t outputs) noexcept

cdef const runtime *shared = <const runtime *> PyCapsule_GetPointer(_threads.runtime_capsule, NNLITE_RUNTIME_NAME)


def forward(
    const floating[:, ::1] x,       # IN  (N, D)
    const floating[:, ::1] kernel,  # IN  (D, M)
    const floating[::1] bias,       # IN  (M,) or None
    floating[:, ::1] y,             # OUT (N, M)
    bint relu,                      # y = max(y, 0); NaN stays NaN
):
    """y = x @ kernel + bias."""
    cdef linear job
    if y.size == 0:
        return
    job.bias = NULL
    if bias is not None:
        job.bias = &bias[0]
    with nogil:
        job.batch, job.inputs, job.outputs = x.shape[0], x.shape[1], kernel.shape[1]
        job.x, job.kernel, job.y, job.relu = &x[0, 0], &kernel[0, 0], &y[0, 0], relu
        linear_forward(shared, &job, sizeof(floating))


def kernel_gradient(
    const floating[:, ::1] x,       # IN  (N, D)
    const floating[:, ::1] dy,      # IN  (N, M)
    floating[:, ::1] dkernel,       # OUT (D, M)
    floating[::1] dbias,            # OUT (M,) or None
):
    """dkernel = x' @ dy and dbias = the sum of dy over the batch."""
    cdef linear job
    if x.size == 0 or dy.size == 0:
        return
    job.dbias = NULL
    if dbias is not None:
        job.dbias = &dbias[0]
    with nogil:
        job.batch, job.inputs, job.outputs = x.shape[0], x.shape[1], dy.shape[1]
        job.x, job.y, job.dkernel = &x[0, 0], <void *> &dy[0, 0], &dkernel[0, 0]
        linear_kernel_gradient(shared, &job, sizeof(floating))


def workspace_size(batch: int, outputs: int) -> int:
    """Numbers of workspace that `input_gradient` needs for dy (N, M): batch N, outputs M."""
    return linear_workspace_size(batch, outputs)


def input_gradient(
    const floating[:, ::1] dy,      # IN  (N, M)
    const floating[:, ::1] kernel,  # IN  (D, M)
    floating[:, ::1] dx,            # OUT (N, D)
    floating[::1] workspace,        # workspace_size(N, M) numbers
):
    """dx = dy @ kernel'."""
    cdef linear job
    if dx.size == 0:
        return
    with nogil:
        job.batch, job.inputs, job.outputs = dx.shape[0], dx.shape[1], dy.shape[1]
        job.y, job.kernel, job.dx, job.workspace = <void *> &dy[0, 0], &kernel[0, 0], &dx[0, 0], &workspace[0]
        linear_input_gradient(shared, &job, sizeof(floating))
