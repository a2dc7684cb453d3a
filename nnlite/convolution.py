"""Geometry of a 2-D convolution, and two ways to compute it: from the padded image, or from patches.

Padding as in Keras. "valid": none, out = (in - k) // stride + 1. "same": out = ceil(in / stride) and total =
max((out - 1) * stride + k - in, 0) zeros, of which total // 2 lie before the image, the rest after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from nnlite_ext import _conv, _patches, _threads

from nnlite.arrays import Array

Buffer = Callable[[str, tuple[int, ...]], Array]
"""buffer(name, shape) returns an array that the layer owns."""


@dataclass(frozen=True)
class Geometry:
    """Sizes of a convolution or pooling without the batch axis: image (H, W, C), kernel (KH, KW), padding."""

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
        """Compute the sizes for an input (H, W, C). Raises ValueError if it is smaller than the kernel.

        who  the layer's name, for the message
        """
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
        """(OH, OW), the size of the output."""
        (height, width), (kh, kw), (sh, sw) = self.padded_size, self.kernel, self.strides
        return (height - kh) // sh + 1, (width - kw) // sw + 1

    @property
    def padded_size(self) -> tuple[int, int]:
        """The size of the image with its padding."""
        return self.height + self.top + self.bottom, self.width + self.left + self.right


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the padding (before, after) of one axis of length `size`."""
    out = -(-size // stride)
    total = max((out - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class DirectConvolution:
    """A convolution that reads the padded image: the kernels choose direct sums or Winograd's tiles.

    geometry, filters    of the layer
    buffer(name, shape)  the layer's own arrays
    """

    def __init__(self, geometry: Geometry, filters: int, buffer: Buffer) -> None:
        self.geometry, self.filters, self.buffer = geometry, filters, buffer
        g = geometry
        self._rows = _conv.gradient_frame(g.height, g.out[0], g.kernel[0], g.strides[0], g.top)
        self._columns = _conv.gradient_frame(g.width, g.out[1], g.kernel[1], g.strides[1], g.left)

    def forward(
        self, x: Array, scale: float, W: Array, b: Array | None, y: Array, relu: bool, kind: str
    ) -> Array:
        """Write y = x * scale convolved with W, plus b, then ReLU if wanted. Return the array for backward.

        x     (N, H, W, C) floats or bytes
        W, b  (KH, KW, C, F), (F,)
        y     (N, OH, OW, F), overwritten
        kind  prefix of the buffers' names: training and prediction have their own
        """
        g = self.geometry
        # a new buffer is zero, and nothing is ever written into the margin around the image
        padded = self.buffer(kind + "padded", (len(x), *g.padded_size, g.channels))
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
        """Overwrite dW, db and, unless it is None, dx (N, H, W, C) from dL/dy (N, OH, OW, F).

        dW[ky, kx, c, :] = sum over n, oy, ox of padded[n, oy*S + ky, ox*S + kx, c] dy[n, oy, ox, :]

        y is the output of a ReLU, or None: where y <= 0, dy counts as 0. In NumPy: nnlite/reference/conv.py.
        """
        g = self.geometry
        (rows, top), (columns, left) = self._rows, self._columns
        framed = self.buffer("framed", (len(dy), rows, columns, self.filters))
        _conv.pad_gradient(dy, y, framed, top, left)
        workspace = self._workspace(len(dy), W)
        _conv.conv_kernel_gradient(padded, framed, dW, db, workspace, *g.out, top, left, *g.strides)
        if dx is not None:
            _conv.conv_input_gradient(framed, W, dx, workspace, g.top, g.left, *g.strides)

    def _workspace(self, images: int, W: Array) -> Array:
        """Return the kernels' workspace; nothing in it outlives a call."""
        oh, ow = self.geometry.out
        return self.buffer("workspace", (_conv.workspace_size(images, oh * ow, W.size, self.filters),))


class PatchConvolution:
    """A convolution as col = im2col(x), y = col @ W, for BLAS. Same methods as DirectConvolution.

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
        """Write y = x * scale convolved with W, plus b, then ReLU if wanted. Return col for backward."""
        if x.dtype != y.dtype or scale != 1:
            scaled = self.buffer(kind + "scaled", x.shape)
            x = np.multiply(x, y.dtype.type(scale), out=scaled, casting="unsafe")
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
        """Overwrite dW, db and, unless it is None, dx; y as in DirectConvolution."""
        if y is not None:
            dy = np.multiply(dy, y > 0, out=self.buffer("dz", y.shape))
        W, dW = (kernel.reshape(self._size, self.filters) for kernel in (W, dW))
        dz = dy.reshape(-1, self.filters)  # (N*OH*OW, F)
        np.matmul(col.reshape(-1, self._size).T, dz, out=dW)  # (KH*KW*C, F)  dL/dW = col' dz
        if db is not None:
            np.sum(dz, axis=0, out=db)  # (F,)  dL/db = sum of dz over the pixels
        if dx is not None:
            dcol = self.buffer("dcol", col.shape)
            np.matmul(dz, W.T, out=dcol.reshape(-1, self._size))  # (N*OH*OW, KH*KW*C)  dL/dcol = dz W'
            _patches.col2im(dcol, *self._patch, dx)  # (N, H, W, C)  dL/dx = col2im(dL/dcol)


PATHS: dict[str, type[DirectConvolution] | type[PatchConvolution]] = {
    "direct": DirectConvolution,
    "patches": PatchConvolution,
}


def default_path() -> str:
    """Return "direct" if the kernels have vector lanes on this machine, else "patches"."""
    return "direct" if _threads.lanes() > 1 else "patches"
