"""Convolution of NHWC images, without writing im2col, for float32 and float64.

The images stand in a frame of zeros; tap (ky, kx) of output pixel (oy, ox) sees padded[n, oy*SH + ky, ox*SW + kx, c]:

    y[n, oy, ox, f]        = bias[f] + sum over ky, kx, c  padded[...] * kernel[ky, kx, c, f]      (then max(y, 0))
    dkernel[ky, kx, c, f]  = sum over n, oy, ox  padded[...] * dy[n, oy, ox, f]
    dx[n, iy, ix, c]       = sum over ky, kx, f  dy[n, (iy+top-ky)/SH, (ix+left-kx)/SW, f] * kernel[ky, kx, c, f]
                             over the taps whose quotients are both whole and inside dy

Contract: the caller checks shapes and types, and keeps the frames zero. Nothing here allocates, raises or holds the GIL.
Every other cell of an output is written. Inputs are only read and may be read-only. Arrays aligned to 64 bytes are read
fastest. Every kernel size, stride, number of channels and filters works. Results do not depend on the number of threads.

There are two algorithms. Direct sums skip pixels that see only zeros, such as most of a game's screen: the pixel is its bias
and adds nothing to dkernel, so weights of NaN or infinity do not show there. Kernels of two or three strides over many
channels and pixels use Winograd's tiles (winograd.h has the conditions): four pixels at a time with fewer products, and a
rounding error relative to the largest number that the four see.

Twin: nnlite/reference/conv.py; tests/ext/test_conv.py keeps the two equal."""

from cpython.pycapsule cimport PyCapsule_GetPointer
from cython cimport floating
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport uint8_t

from nnlite_ext import _threads

cdef extern from "threads/runtime.h" nogil:
    struct runtime:
        pass
    const char *NNLITE_RUNTIME_NAME

cdef extern from "conv/pad.h" nogil:
    enum:
        FROM_BYTES, FROM_FLOATS, FROM_DOUBLES
    struct padding:
        ptrdiff_t images, height, width, channels, padded_height, padded_width, top, left
        const void *from_ "from"
        const void *y
        void *to
        double scale
    struct flip:
        ptrdiff_t kernel_height, kernel_width, channels, filters, stride_y, stride_x
        const void *kernel
        void *flipped
    void flip_kernel(const runtime *, flip *, int itemsize) noexcept
    ptrdiff_t phase_taps(ptrdiff_t size, ptrdiff_t stride, ptrdiff_t phase) noexcept
    ptrdiff_t phase_start(const flip *, ptrdiff_t phase_y, ptrdiff_t phase_x) noexcept

cdef extern from "conv/conv.h" nogil:
    struct geometry:
        ptrdiff_t images, height, width, in_image, in_row, in_column, out_image, out_row, out_column
        ptrdiff_t rows, run, line, filters
    struct correlation:
        geometry at
        const void *in_ "in"
        const void *weights
        const void *bias
        void *workspace
        void *out
        int relu
    struct kernel_gradient_job "kernel_gradient":
        geometry at
        const void *in_ "in"
        const void *dy
        void *dkernel
        void *dbias
        void *workspace
        ptrdiff_t groups
    ptrdiff_t weights_of(const geometry *) noexcept
    ptrdiff_t conv_workspace_size(const runtime *, ptrdiff_t images, ptrdiff_t pixels, ptrdiff_t weights,
                                  ptrdiff_t filters) noexcept
    ptrdiff_t gradient_groups(ptrdiff_t images, ptrdiff_t pixels, ptrdiff_t weights) noexcept
    void pad_images(const runtime *, padding *, int source, int itemsize) noexcept
    void correlate(const runtime *, correlation *, int itemsize) noexcept
    void kernel_gradient(const runtime *, kernel_gradient_job *, int itemsize) noexcept

ctypedef fused pixel:
    uint8_t
    float
    double

cdef const runtime *shared = <const runtime *> PyCapsule_GetPointer(_threads.runtime_capsule, NNLITE_RUNTIME_NAME)


def pad(
    const pixel[:, :, :, ::1] x,         # IN  (N, H, W, C)
    floating[:, :, :, ::1] padded,       # OUT (N, HP, WP, C) with HP >= top + H, WP >= left + W; zero around the images
    ptrdiff_t top, ptrdiff_t left, double scale,
):
    """padded[n, top + y, left + x, c] = scale * x[n, y, x, c]. The frame is not touched."""
    cdef padding job
    cdef int source = FROM_BYTES if pixel is uint8_t else FROM_FLOATS if pixel is float else FROM_DOUBLES
    if padded.size == 0:
        return
    with nogil:
        job.images, job.height, job.width, job.channels = x.shape[0], x.shape[1], x.shape[2], x.shape[3]
        job.padded_height, job.padded_width, job.top, job.left = padded.shape[1], padded.shape[2], top, left
        job.from_, job.y, job.to, job.scale = &x[0, 0, 0, 0], NULL, &padded[0, 0, 0, 0], scale
        pad_images(shared, &job, source, sizeof(floating))


def pad_gradient(
    const floating[:, :, :, ::1] dy,     # IN  (N, OH, OW, F)
    const floating[:, :, :, ::1] y,      # IN  (N, OH, OW, F) output of a ReLU; None without one
    floating[:, :, :, ::1] padded_dy,    # OUT (N, HD, WD, F), zero around dy
    ptrdiff_t top, ptrdiff_t left,
):
    """padded_dy[n, top + oy, left + ox, f] = dy where y > 0, else 0: the derivative of the ReLU. The frame is not touched.

    `gradient_frame` gives HD and top for the height, WD and left for the width.
    """
    cdef padding job
    if padded_dy.size == 0:
        return
    job.y = NULL
    if y is not None:
        job.y = &y[0, 0, 0, 0]
    with nogil:
        job.images, job.height, job.width, job.channels = dy.shape[0], dy.shape[1], dy.shape[2], dy.shape[3]
        job.padded_height, job.padded_width, job.top, job.left = padded_dy.shape[1], padded_dy.shape[2], top, left
        job.from_, job.to, job.scale = &dy[0, 0, 0, 0], &padded_dy[0, 0, 0, 0], 1
        pad_images(shared, &job, FROM_FLOATS if floating is float else FROM_DOUBLES, sizeof(floating))


def gradient_frame(input_size: int, output_size: int, kernel_size: int, stride: int, before: int) -> tuple[int, int]:
    """Along one axis: (size of padded dy, zeros before dy) that conv_input_gradient needs.

    input_size    H, without padding
    output_size   OH
    before        zeros before the input, the `top` of `pad`
    """
    taps = -(-kernel_size // stride)
    last = (before + input_size - 1) // stride
    return max(last, output_size - 1) + taps, taps - 1


def workspace_size(images: int, pixels: int, weights: int, filters: int) -> int:
    """Numbers of workspace that suffice for every function below, with the current number of threads; images N, pixels OH*OW
    of one image, weights KH*KW*C*F, filters F."""
    return conv_workspace_size(shared, images, pixels, weights, filters)


def conv_forward(
    const floating[:, :, :, ::1] padded,  # IN  (N, HP, WP, C) from `pad`
    const floating[:, :, :, ::1] kernel,  # IN  (KH, KW, C, F)
    const floating[::1] bias,             # IN  (F,) or None
    floating[:, :, :, ::1] y,             # OUT (N, OH, OW, F)
    floating[::1] workspace,              # `workspace_size` numbers
    ptrdiff_t stride_h, ptrdiff_t stride_w,
    bint relu,                            # y = max(y, 0); NaN stays NaN
):
    """y = padded * kernel + bias."""
    cdef correlation job
    cdef ptrdiff_t C = padded.shape[3], F = kernel.shape[3]
    if y.size == 0:
        return
    job.bias = NULL
    if bias is not None:
        job.bias = &bias[0]
    with nogil:
        patches(&job.at, padded.shape[1], padded.shape[2], C, kernel.shape[0], kernel.shape[1], stride_h, stride_w)
        job.at.images, job.at.height, job.at.width = y.shape[0], y.shape[1], y.shape[2]
        job.at.out_image, job.at.out_row, job.at.out_column = y.shape[1] * y.shape[2] * F, y.shape[2] * F, F
        job.at.filters = F
        job.in_, job.weights, job.out = &padded[0, 0, 0, 0], &kernel[0, 0, 0, 0], &y[0, 0, 0, 0]
        job.workspace, job.relu = &workspace[0], relu
        correlate(shared, &job, sizeof(floating))


def conv_kernel_gradient(
    const floating[:, :, :, ::1] padded,     # IN  (N, HP, WP, C) as in forward
    const floating[:, :, :, ::1] padded_dy,  # IN  (N, HD, WD, F), dy without or with a frame
    floating[:, :, :, ::1] dkernel,          # OUT (KH, KW, C, F)
    floating[::1] dbias,                     # OUT (F,) or None
    floating[::1] workspace,                 # `workspace_size` numbers
    ptrdiff_t output_height, ptrdiff_t output_width,
    ptrdiff_t dy_top, ptrdiff_t dy_left,     # where dy begins in padded_dy
    ptrdiff_t stride_h, ptrdiff_t stride_w,
):
    """dL/dkernel, and dL/dbias = the sum of dy over all pixels. Both are overwritten."""
    cdef kernel_gradient_job job
    cdef ptrdiff_t C = padded.shape[3], F = padded_dy.shape[3], WD = padded_dy.shape[2]
    if padded_dy.size == 0 or dkernel.size == 0:
        return
    job.dbias = NULL
    if dbias is not None:
        job.dbias = &dbias[0]
    with nogil:
        patches(&job.at, padded.shape[1], padded.shape[2], C, dkernel.shape[0], dkernel.shape[1], stride_h, stride_w)
        job.at.images, job.at.height, job.at.width = padded.shape[0], output_height, output_width
        job.at.out_image, job.at.out_row, job.at.out_column = padded_dy.shape[1] * WD * F, WD * F, F
        job.at.filters = F
        job.in_, job.dy, job.dkernel = &padded[0, 0, 0, 0], &padded_dy[0, dy_top, dy_left, 0], &dkernel[0, 0, 0, 0]
        job.groups = gradient_groups(padded.shape[0], output_height * output_width, weights_of(&job.at))
        job.workspace = &workspace[0]
        kernel_gradient(shared, &job, sizeof(floating))


def conv_input_gradient(
    const floating[:, :, :, ::1] padded_dy,  # IN  (N, HD, WD, F) from `pad_gradient`, sizes from `gradient_frame`
    const floating[:, :, :, ::1] kernel,     # IN  (KH, KW, C, F)
    floating[:, :, :, ::1] dx,               # OUT (N, H, W, C), without padding
    floating[::1] workspace,                 # `workspace_size` numbers
    ptrdiff_t top, ptrdiff_t left,           # zeros before the input, as in `pad`
    ptrdiff_t stride_h, ptrdiff_t stride_w,
):
    """dL/dx.

    Pixels whose padded position has the same remainder by the stride form a phase. Each phase is a convolution of
    stride 1 over padded_dy with every stride-th tap, in reverse order.
    """
    cdef correlation job
    cdef flip turned
    cdef ptrdiff_t C = kernel.shape[2], F = kernel.shape[3], WD = padded_dy.shape[2], phase_y, phase_x
    if dx.size == 0:
        return
    with nogil:
        turned.kernel_height, turned.kernel_width, turned.channels, turned.filters = (
            kernel.shape[0], kernel.shape[1], C, F)
        turned.stride_y, turned.stride_x, turned.kernel, turned.flipped = (
            stride_h, stride_w, &kernel[0, 0, 0, 0], &workspace[0])
        flip_kernel(shared, &turned, sizeof(floating))
        patches(&job.at, padded_dy.shape[1], WD, F, 1, 1, 1, 1)
        job.at.images, job.at.filters, job.bias, job.relu = dx.shape[0], C, NULL, 0
        job.workspace = &workspace[kernel.shape[0] * kernel.shape[1] * C * F]
        job.at.out_image = dx.shape[1] * dx.shape[2] * C
        job.at.out_row, job.at.out_column = stride_h * dx.shape[2] * C, stride_w * C
        for phase_y in range(stride_h):
            for phase_x in range(stride_w):
                input_gradient_phase(padded_dy, dx, &turned, &job, phase_y, phase_x, top, left)


cdef void input_gradient_phase(
    const floating[:, :, :, ::1] padded_dy, floating[:, :, :, ::1] dx, const flip *turned, correlation *job,
    ptrdiff_t phase_y, ptrdiff_t phase_x, ptrdiff_t top, ptrdiff_t left,
) noexcept nogil:
    cdef ptrdiff_t SH = turned.stride_y, SW = turned.stride_x, F = turned.filters
    cdef ptrdiff_t qy = first_of_phase(phase_y, SH, top), qx = first_of_phase(phase_x, SW, left)
    cdef ptrdiff_t iy = qy * SH + phase_y - top, ix = qx * SW + phase_x - left         # first pixel of the phase
    cdef ptrdiff_t rows = phase_taps(turned.kernel_height, SH, phase_y)
    cdef ptrdiff_t columns = phase_taps(turned.kernel_width, SW, phase_x)
    cdef ptrdiff_t most_rows = phase_taps(turned.kernel_height, SH, 0)
    cdef ptrdiff_t most_columns = phase_taps(turned.kernel_width, SW, 0)
    if iy >= dx.shape[1] or ix >= dx.shape[2]:
        return
    job.at.height, job.at.width = (dx.shape[1] - iy - 1) // SH + 1, (dx.shape[2] - ix - 1) // SW + 1
    job.at.rows, job.at.run = rows, columns * F
    if rows == 0 or columns == 0:                                                       # no tap reaches these pixels
        job.at.rows, rows, columns = 0, most_rows, most_columns
    job.in_ = &padded_dy[0, qy + most_rows - rows, qx + most_columns - columns, 0]
    job.weights = <const floating *> turned.flipped + phase_start(turned, phase_y, phase_x) * turned.channels * F
    job.out = &dx[0, iy, ix, 0]
    correlate(shared, job, sizeof(floating))


cdef inline ptrdiff_t first_of_phase(ptrdiff_t phase, ptrdiff_t stride, ptrdiff_t before) noexcept nogil:
    """The smallest q >= 0 with q*stride + phase >= before."""
    return 0 if phase >= before else (before - phase - 1) // stride + 1


cdef inline void patches(
    geometry *at, ptrdiff_t height, ptrdiff_t width, ptrdiff_t channels,
    ptrdiff_t kernel_height, ptrdiff_t kernel_width, ptrdiff_t stride_y, ptrdiff_t stride_x,
) noexcept nogil:
    """Set the half of the geometry that describes the padded images."""
    at.line = width * channels
    at.in_image, at.in_row, at.in_column = height * at.line, stride_y * at.line, stride_x * channels
    at.rows, at.run = kernel_height, kernel_width * channels
