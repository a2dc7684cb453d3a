"""NumPy twins of nnlite_ext._patches: patches of an image as rows, and their adjoint. Layout is NHWC."""

from __future__ import annotations

import numpy as np

from nnlite.arrays import Array


def im2col(
    x: Array, kernel: tuple[int, int], strides: tuple[int, int], pads: tuple[int, int, int, int]
) -> Array:
    """Patches of x (N, H, W, C) as rows: col (N*OH*OW, KH*KW*C).

    col[(n*OH + oy)*OW + ox, (ky*KW + kx)*C + c] = x[n, oy*SH + ky - top, ox*SW + kx - left, c], 0 outside.
    pads = (top, bottom, left, right).
    """
    (kh, kw), (sh, sw), (top, bottom, left, right) = kernel, strides, pads
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(1, 2))[:, ::sh, ::sw]
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, kh * kw * x.shape[3])


def col2im(
    col: Array,
    shape: tuple[int, int, int, int],
    kernel: tuple[int, int],
    strides: tuple[int, int],
    pads: tuple[int, int, int, int],
) -> Array:
    """The adjoint of im2col: x (N, H, W, C), with every patch element added to the pixel it was read from."""
    (n, h, w, c), (kh, kw), (sh, sw), (top, bottom, left, right) = shape, kernel, strides, pads
    oh, ow = (h + top + bottom - kh) // sh + 1, (w + left + right - kw) // sw + 1
    patches = col.reshape(n, oh, ow, kh, kw, c)
    padded = np.zeros((n, h + top + bottom, w + left + right, c), col.dtype)
    for ky in range(kh):
        for kx in range(kw):
            padded[:, ky : ky + sh * oh : sh, kx : kx + sw * ow : sw][:, :oh, :ow] += patches[:, :, :, ky, kx]
    return padded[:, top : top + h, left : left + w]
