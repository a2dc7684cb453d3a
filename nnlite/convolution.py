"""Geometry of a 2-D convolution and its general path: explicit patches times a matrix.

Keras's "same": out = ceil(in / stride); total = max((out - 1) * stride + k - in, 0); before = total // 2, the rest after.
"valid": no padding, out = (in - k) // stride + 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from nnlite_ext import _patches

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Geometry:
    """Sizes of one convolution or pooling without the batch axis: input (H, W, C), kernel (KH, KW), strides, padding."""

    height: int
    width: int
    channels: int
    kernel: tuple[int, int]
    strides: tuple[int, int]
    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def of(cls, shape: tuple[int, ...], kernel: tuple[int, int], strides: tuple[int, int], padding: str, who: str) -> Geometry:
        """Sizes for an input (H, W, C); raises ValueError with both numbers when the kernel does not fit."""
        if len(shape) != 3:
            raise ValueError(f"{who} needs an input of shape (height, width, channels), not {shape}")
        if padding not in ("same", "valid"):
            raise ValueError(f"{who}: padding is 'same' or 'valid', not {padding!r}")
        height, width, channels = shape
        if padding == "same":
            top, bottom = same_padding(height, kernel[0], strides[0])
            left, right = same_padding(width, kernel[1], strides[1])
        else:
            top = bottom = left = right = 0
            if height < kernel[0] or width < kernel[1]:
                raise ValueError(f"{who}: a kernel of {kernel} does not fit into an image of {(height, width)} without padding")
        return cls(height, width, channels, kernel, strides, top, bottom, left, right)

    @property
    def out(self) -> tuple[int, int]:
        """(OH, OW)."""
        (kh, kw), (sh, sw) = self.kernel, self.strides
        return (self.height + self.top + self.bottom - kh) // sh + 1, (self.width + self.left + self.right - kw) // sw + 1


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """(before, after) for one axis of length `size`."""
    out = -(-size // stride)
    total = max((out - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class PatchConvolution:
    """col = im2col(x), then y = col @ W: the products run on BLAS, whatever the shape.

    W (KH*KW*C, F), col (N*OH*OW, KH*KW*C), y (N*OH*OW, F).
    """

    def __init__(self, geometry: Geometry, filters: int, dtype: Any) -> None:
        self.geometry, self.filters, self.dtype = geometry, filters, np.dtype(dtype)
        g = geometry
        self._patch = (*g.kernel, *g.strides, g.top, g.left)
        self._size = g.kernel[0] * g.kernel[1] * g.channels

    def gather(self, x: Array, out: Array | None) -> Array:
        """col (N, OH, OW, KH*KW*C) of x (N, H, W, C), into `out` when it is given."""
        col = np.empty(self.patches_shape(len(x)), self.dtype) if out is None else out
        _patches.im2col(x, *self._patch, col)
        return col

    def patches_shape(self, n: int) -> tuple[int, int, int, int]:
        return (n, *self.geometry.out, self._size)

    def forward(self, col: Array, W: Array, b: Array | None, y: Array) -> Array:
        """y = col @ W + b, y (N, OH, OW, F)."""
        flat = y.reshape(-1, self.filters)
        np.matmul(col.reshape(-1, self._size), W.reshape(self._size, self.filters), out=flat)
        if b is not None:
            flat += b
        return y

    def kernel_gradient(self, col: Array, dz: Array, dW: Array) -> None:
        """dW = col' dz, summed over images and pixels."""
        np.matmul(
            col.reshape(-1, self._size).T, dz.reshape(-1, self.filters), out=dW.reshape(self._size, self.filters)
        )

    def input_gradient(self, dz: Array, W: Array, dcol: Array, dx: Array) -> Array:
        """dx = col2im(dz W')."""
        np.matmul(
            dz.reshape(-1, self.filters), W.reshape(self._size, self.filters).T, out=dcol.reshape(-1, self._size)
        )
        _patches.col2im(dcol, *self._patch, dx)
        return dx
