"""Geometry of a 2-D convolution, and the two ways to compute it: straight from the padded image, or patches
times a matrix.

Keras's "same": out = ceil(in / stride); total = max((out - 1) * stride + k - in, 0); before = total // 2, the
rest after. "valid": no padding, out = (in - k) // stride + 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from nnlite_ext import _conv, _patches, _threads

from nnlite.arrays import Array


@dataclass(frozen=True)
class Geometry:
    """Sizes of one convolution or pooling without the batch axis: input (H, W, C), kernel (KH, KW), strides,
    padding.
    """

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
    def of(
        cls, shape: tuple[int, ...], kernel: tuple[int, int], strides: tuple[int, int], padding: str, who: str
    ) -> Geometry:
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
                raise ValueError(
                    f"{who}: a kernel of {kernel} does not fit into an image of {(height, width)} without "
                    "padding"
                )
        return cls(height, width, channels, kernel, strides, top, bottom, left, right)

    @property
    def out(self) -> tuple[int, int]:
        """(OH, OW)."""
        (kh, kw), (sh, sw) = self.kernel, self.strides
        return (self.height + self.top + self.bottom - kh) // sh + 1, (
            self.width + self.left + self.right - kw
        ) // sw + 1


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """(before, after) for one axis of length `size`."""
    out = -(-size // stride)
    total = max((out - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class DirectConvolution:
    """Reads the padded image itself, by direct sums or Winograd's tiles as the kernels choose; bias and
    ReLU on the way.

    geometry, filters, dtype   of the layer
    buffer(name, shape)        the layer's own arrays
    """

    def __init__(self, geometry: Geometry, filters: int, buffer: Buffer) -> None:
        self.geometry, self.filters, self.buffer = geometry, filters, buffer
        g = geometry
        self._rows = _conv.gradient_frame(g.height, g.out[0], g.kernel[0], g.strides[0], g.top)
        self._columns = _conv.gradient_frame(g.width, g.out[1], g.kernel[1], g.strides[1], g.left)

    def forward(
        self, x: Array, scale: float, W: Array, b: Array | None, y: Array, relu: bool, kind: str
    ) -> Array:
        """y = x * scale convolved with W, plus b, then ReLU if wanted; returns what backward needs.

        x (N, H, W, C) floats or bytes, W (KH, KW, C, F), y (N, OH, OW, F); `kind` names the buffers of this
        kind of pass.
        """
        g = self.geometry
        shape = (len(x), g.height + g.top + g.bottom, g.width + g.left + g.right, g.channels)
        padded = self.buffer(kind + "padded", shape)  # new buffers are zero, and so their frames stay
        _conv.pad(x, padded, g.top, g.left, scale)
        _conv.conv_forward(padded, W, b, y, self._workspace(len(x), W), *g.strides, relu)
        return padded

    def backward(
        self,
        padded: Array,
        dy: Array,
        y: Array | None,
        W: Array,
        dW: Array,
        db: Array | None,
        dx: Array | None,
    ) -> None:
        """Overwrite dW, db and, unless it is None, dx.

        With y, the ReLU's own output, dy counts only where y > 0.
        """
        g = self.geometry
        framed = self.buffer("framed", (len(dy), self._rows[0], self._columns[0], self.filters))
        _conv.pad_gradient(dy, y, framed, self._rows[1], self._columns[1])
        workspace = self._workspace(len(dy), W)
        _conv.conv_kernel_gradient(
            padded, framed, dW, db, workspace, *g.out, self._rows[1], self._columns[1], *g.strides
        )
        if dx is not None:
            _conv.conv_input_gradient(framed, W, dx, workspace, g.top, g.left, *g.strides)

    def _workspace(self, images: int, W: Array) -> Array:
        """Workspace of the kernels; each of them may overwrite it."""
        return self.buffer(
            "workspace",
            (
                _conv.workspace_size(
                    images, self.geometry.out[0] * self.geometry.out[1], W.size, self.filters
                ),
            ),
        )


class PatchConvolution:
    """col = im2col(x), then y = col @ W: the products run on BLAS, whatever the shape.

    Same methods as DirectConvolution.

    W (KH*KW*C, F), col (N*OH*OW, KH*KW*C), y (N*OH*OW, F).
    """

    def __init__(self, geometry: Geometry, filters: int, buffer: Buffer) -> None:
        self.geometry, self.filters, self.buffer = geometry, filters, buffer
        g = geometry
        self._patch = (*g.kernel, *g.strides, g.top, g.left)
        self._size = g.kernel[0] * g.kernel[1] * g.channels

    def forward(
        self, x: Array, scale: float, W: Array, b: Array | None, y: Array, relu: bool, kind: str
    ) -> Array:
        """y = x * scale convolved with W, plus b, then ReLU if wanted; returns what backward needs."""
        if x.dtype != y.dtype or scale != 1:
            x = np.multiply(
                x, y.dtype.type(scale), out=self.buffer(kind + "scaled", x.shape), casting="unsafe"
            )
        col = self.buffer(kind + "col", (len(x), *self.geometry.out, self._size))
        _patches.im2col(x, *self._patch, col)
        rows = y.reshape(-1, self.filters)
        np.matmul(col.reshape(-1, self._size), W.reshape(self._size, self.filters), out=rows)
        if b is not None:
            rows += b
        if relu:
            np.maximum(y, 0, out=y)
        return col

    def backward(
        self, col: Array, dy: Array, y: Array | None, W: Array, dW: Array, db: Array | None, dx: Array | None
    ) -> None:
        """Overwrite dW, db and, unless it is None, dx.

        With y, the ReLU's own output, dy counts only where y > 0.
        """
        if y is not None:
            dy = np.multiply(dy, y > 0, out=self.buffer("dz", y.shape))
        dz = dy.reshape(-1, self.filters)
        np.matmul(
            col.reshape(-1, self._size).T, dz, out=dW.reshape(self._size, self.filters)
        )  # dL/dW = col' dz
        if db is not None:
            np.sum(dz, axis=0, out=db)
        if dx is not None:
            dcol = self.buffer("dcol", col.shape)
            np.matmul(dz, W.reshape(self._size, self.filters).T, out=dcol.reshape(-1, self._size))
            _patches.col2im(dcol, *self._patch, dx)  # dL/dx = col2im(dz W')


Buffer = Callable[[str, tuple[int, ...]], Array]
PATHS: dict[str, type[DirectConvolution] | type[PatchConvolution]] = {
    "direct": DirectConvolution,
    "patches": PatchConvolution,
}


def default_path() -> str:
    """ "direct" where the compiler had vectors to offer, else "patches"."""
    return "direct" if _threads.lanes() > 1 else "patches"
