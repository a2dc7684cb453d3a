"""NumPy twins of nnlite_ext._conv.

Index law, with strides (SH, SW) and (top, left) zeros before an image:

    padded[n, top + y, left + x, c] = scale * x[n, y, x, c]
    y[n, oy, ox, f] = bias[f] + sum over ky, kx, c
                          padded[n, oy*SH + ky, ox*SW + kx, c] * kernel[ky, kx, c, f]

`workspace` belongs to the compiled kernels and is not used here.
"""

from __future__ import annotations

import numpy as np

from nnlite.arrays import Array


def pad(x: Array, padded: Array, top: int, left: int, scale: float) -> None:
    """padded (N, HP, WP, C) = x (N, H, W, C) times scale; the frame around it must be zero already."""
    _, height, width, _ = x.shape
    padded[:, top : top + height, left : left + width] = x.astype(padded.dtype) * padded.dtype.type(scale)


def pad_gradient(dy: Array, y: Array | None, padded_dy: Array, top: int, left: int) -> None:
    """padded_dy (N, HD, WD, F) = dy (N, OH, OW, F), but 0 where y <= 0; y may be None. Frame as in `pad`."""
    pad(dy if y is None else np.where(y > 0, dy, 0), padded_dy, top, left, 1)


def gradient_frame(
    input_size: int, output_size: int, kernel_size: int, stride: int, before: int
) -> tuple[int, int]:
    """Along one axis: (size of padded dy, zeros before dy): every (input + before - k)/stride lies inside."""
    reached = [(before + i - k) // stride for i in range(input_size) for k in range(kernel_size)]
    most = (kernel_size - 1) // stride
    return max(max(reached), (before + input_size - 1) // stride, output_size - 1) + 1 + most, most


def patches(
    padded: Array,
    kernel_height: int,
    kernel_width: int,
    output_height: int,
    output_width: int,
    stride_h: int,
    stride_w: int,
) -> Array:
    """The patches that the output pixels see, a view (N, OH, OW, KH, KW, C)."""
    n, y, x, c = padded.strides
    shape = (len(padded), output_height, output_width, kernel_height, kernel_width, padded.shape[3])
    strides = (n, y * stride_h, x * stride_w, y, x, c)
    return np.lib.stride_tricks.as_strided(padded, shape, strides, writeable=False)


def conv_forward(
    padded: Array,
    kernel: Array,
    bias: Array | None,
    y: Array,
    workspace: object,
    stride_h: int,
    stride_w: int,
    relu: bool,
) -> None:
    """y (N, OH, OW, F) = padded (N, HP, WP, C) * kernel (KH, KW, C, F) + bias (F,), max(y, 0) if relu."""
    (kernel_h, kernel_w), (output_h, output_w) = kernel.shape[:2], y.shape[1:3]
    seen = patches(padded, kernel_h, kernel_w, output_h, output_w, stride_h, stride_w)
    y[...] = np.tensordot(seen, kernel, axes=3)
    if bias is not None:
        y += bias
    if relu:
        np.maximum(y, 0, out=y)


def conv_kernel_gradient(
    padded: Array,
    padded_dy: Array,
    dkernel: Array,
    dbias: Array | None,
    workspace: object,
    output_height: int,
    output_width: int,
    dy_top: int,
    dy_left: int,
    stride_h: int,
    stride_w: int,
) -> None:
    """Overwrite dkernel (KH, KW, C, F) and dbias (F,): sums over all pixels of dy.

    dy begins at (dy_top, dy_left) of padded_dy.
    """
    dy = padded_dy[:, dy_top : dy_top + output_height, dy_left : dy_left + output_width]
    kernel_h, kernel_w = dkernel.shape[:2]
    seen = patches(padded, kernel_h, kernel_w, output_height, output_width, stride_h, stride_w)
    dkernel[...] = np.tensordot(seen, dy, axes=((0, 1, 2), (0, 1, 2)))
    if dbias is not None:
        dbias[...] = dy.sum(axis=(0, 1, 2))


def conv_input_gradient(
    padded_dy: Array,
    kernel: Array,
    dx: Array,
    workspace: object,
    top: int,
    left: int,
    stride_h: int,
    stride_w: int,
) -> None:
    """dx (N, H, W, C): every tap adds its share of dy to the pixel that it read."""
    taps_y, taps_x, _, _ = kernel.shape
    before_y, before_x = (taps_y - 1) // stride_h, (taps_x - 1) // stride_w
    _, height, width, _ = dx.shape
    dy = padded_dy[:, before_y:, before_x:]
    reach = ((dy.shape[1] - 1) * stride_h + taps_y, (dy.shape[2] - 1) * stride_w + taps_x)
    frame = np.zeros(
        (len(dx), max(reach[0], top + height), max(reach[1], left + width), dx.shape[3]), dx.dtype
    )
    for ky in range(taps_y):
        for kx in range(taps_x):
            rows = slice(ky, ky + (dy.shape[1] - 1) * stride_h + 1, stride_h)
            columns = slice(kx, kx + (dy.shape[2] - 1) * stride_w + 1, stride_w)
            frame[:, rows, columns] += dy @ kernel[ky, kx].T
    dx[...] = frame[:, top : top + height, left : left + width]
