"""Patch gather (im2col) and its adjoint (col2im) for NHWC images.

    col[(n*OH + oy)*OW + ox, (ky*KW + kx)*C + c] = x[n, oy*SH + ky - top, ox*SW + kx - left, c],  0 outside x

Contract: the caller checks sizes. Nothing here allocates, raises or holds the GIL.
Twin: nnlite/reference/patches.py; tests/ext/test_patches.py keeps the two equal."""

from cython cimport floating
from libc.string cimport memcpy, memset


def im2col(const floating[:, :, :, ::1] x,             # IN  (N, H, W, C)
           Py_ssize_t kh, Py_ssize_t kw, Py_ssize_t sh, Py_ssize_t sw, Py_ssize_t top, Py_ssize_t left,
           floating[:, :, :, ::1] col):                # OUT (N, OH, OW, KH*KW*C), every cell written
    cdef Py_ssize_t n, oy, ox
    with nogil:
        for n in range(col.shape[0]):
            for oy in range(col.shape[1]):
                for ox in range(col.shape[2]):
                    gather_patch(x, n, oy * sh - top, ox * sw - left, kh, kw, &col[n, oy, ox, 0])


cdef inline void gather_patch(const floating[:, :, :, ::1] x, Py_ssize_t n, Py_ssize_t y0, Py_ssize_t x0,
                              Py_ssize_t kh, Py_ssize_t kw, floating* row) noexcept nogil:
    """Fill one row of col: for each of KH image rows a run of KW*C adjacent floats, with zeros outside the image."""
    cdef Py_ssize_t H = x.shape[1], W = x.shape[2], C = x.shape[3]
    cdef Py_ssize_t first = max(0, -x0), last = min(kw, W - x0), ky
    if last < first:
        last = first
    for ky in range(kh):
        if y0 + ky < 0 or y0 + ky >= H or last == first:
            memset(row, 0, kw * C * sizeof(floating))
        else:
            memset(row, 0, first * C * sizeof(floating))
            memcpy(row + first * C, &x[n, y0 + ky, x0 + first, 0], (last - first) * C * sizeof(floating))
            memset(row + last * C, 0, (kw - last) * C * sizeof(floating))
        row += kw * C


def col2im(const floating[:, :, :, ::1] col,           # IN  (N, OH, OW, KH*KW*C)
           Py_ssize_t kh, Py_ssize_t kw, Py_ssize_t sh, Py_ssize_t sw, Py_ssize_t top, Py_ssize_t left,
           floating[:, :, :, ::1] x):                  # OUT (N, H, W, C), every cell written
    cdef Py_ssize_t n, oy, ox
    with nogil:
        memset(&x[0, 0, 0, 0], 0, x.shape[0] * x.shape[1] * x.shape[2] * x.shape[3] * sizeof(floating))
        for n in range(col.shape[0]):
            for oy in range(col.shape[1]):
                for ox in range(col.shape[2]):
                    scatter_patch(&col[n, oy, ox, 0], n, oy * sh - top, ox * sw - left, kh, kw, x)


cdef inline void scatter_patch(const floating* row, Py_ssize_t n, Py_ssize_t y0, Py_ssize_t x0,
                               Py_ssize_t kh, Py_ssize_t kw, floating[:, :, :, ::1] x) noexcept nogil:
    """Add one row of col to the pixels it was gathered from; floats outside the image are dropped."""
    cdef Py_ssize_t H = x.shape[1], W = x.shape[2], C = x.shape[3]
    cdef Py_ssize_t first = max(0, -x0), last = min(kw, W - x0), ky, i
    cdef floating* pixel
    for ky in range(kh):
        if 0 <= y0 + ky < H and first < last:
            pixel = &x[n, y0 + ky, x0 + first, 0]
            for i in range((last - first) * C):
                pixel[i] += row[first * C + i]
        row += kw * C
