"""Pooling: the largest number or the mean of each window, and the mean of a whole image."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.arrays import Array
from nnlite.attributes import argument
from nnlite.convolution import Geometry
from nnlite.layers.layer import Layer
from nnlite.utils import flag, pair
from nnlite.weights import Shape


class Pooling2D(Layer):
    """Windows of an image, and one number for each: the base of MaxPooling2D and AveragePooling2D."""

    pool_size: tuple[int, int] = argument()
    strides: tuple[int, int] = argument()
    padding: str = argument()
    geometry: Geometry

    def __init__(self, pool_size: Any, strides: Any = None, padding: str = "valid", **common: Any) -> None:
        super().__init__(**common)
        self.pool_size = pair(pool_size, "pool_size")
        self.strides = self.pool_size if strides is None else pair(strides, "strides")
        self.padding = padding

    def build(self, input_shape: Shape) -> Shape:
        self.geometry = Geometry.of(input_shape, self.pool_size, self.strides, self.padding, self.name)
        return (*self.geometry.out, input_shape[-1])

    def _padded(self, x: Array, outside: float) -> Array:
        """Return x (N, H, W, C) with this number around it, in a buffer."""
        g = self.geometry
        padded = self.buffer("padded", (len(x), *g.padded_size, g.channels))
        padded.fill(outside)
        self._inside(padded)[...] = x
        return padded

    def _nothing(self, n: int) -> Array:
        """Return a zeroed buffer for the gradient of n padded images."""
        g = self.geometry
        dpadded = self.buffer("dpadded", (n, *g.padded_size, g.channels))
        dpadded.fill(0)
        return dpadded

    def _inside(self, padded: Array) -> Array:
        """Return the view (N, H, W, C) of the image in its padding."""
        g = self.geometry
        return padded[:, g.top : g.top + g.height, g.left : g.left + g.width]

    def _windows(self, padded: Array) -> list[Array]:
        """Return KH*KW views (N, OH, OW, C), one a place of the window."""
        (kh, kw), (sh, sw), (oh, ow) = self.pool_size, self.strides, self.geometry.out
        return [
            padded[:, ky : ky + (oh - 1) * sh + 1 : sh, kx : kx + (ow - 1) * sw + 1 : sw]
            for ky in range(kh)
            for kx in range(kw)
        ]

    def get_config(self) -> dict[str, Any]:
        own = {"pool_size": list(self.pool_size), "strides": list(self.strides), "padding": self.padding}
        return {**super().get_config(), **own}


class MaxPooling2D(Pooling2D):
    """y[n, oy, ox, c] = max over ky, kx of x[n, oy*S + ky - P, ox*S + kx - P, c] inside the image.

    x (N, H, W, C) -> y (N, OH, OW, C). dy goes to the largest pixel of each window, the first of equals.
    """

    def __init__(
        self, pool_size: Any = (2, 2), strides: Any = None, padding: str = "valid", **common: Any
    ) -> None:
        super().__init__(pool_size, strides, padding, **common)

    def forward(self, x: Array, training: bool = False) -> Array:
        windows = self.windows_of(x)
        y = self.buffer("y" if training else "p", windows[0].shape)
        np.copyto(y, windows[0])
        for window in windows[1:]:
            np.maximum(y, window, out=y)
        if training:
            self._keep(self._winners(windows, y), x.shape)
        return y

    def windows_of(self, x: Array) -> list[Array]:
        """Return KH*KW views (N, OH, OW, C), one a place of the window; -inf outside the image."""
        return self._windows(self._padded(x, -np.inf))

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        winners, shape = self._take_cache()
        if not need_dx:
            return None
        dpadded = self._nothing(shape[0])
        for index, window in enumerate(self._windows(dpadded)):
            window += dy * (winners == index)  # (N, OH, OW, C)  dL/dx = dy where the pixel was the largest
        return np.ascontiguousarray(self._inside(dpadded))

    def _winners(self, windows: list[Array], y: Array) -> Array:
        """Return the index (N, OH, OW, C) of the view with the largest number, the first of equals."""
        winners = np.full(y.shape, len(windows), np.int32)
        for index in reversed(range(len(windows))):
            np.putmask(winners, windows[index] == y, index)
        return winners


class AveragePooling2D(Pooling2D):
    """y[n, oy, ox, c] = mean over ky, kx of x[n, oy*S + ky - P, ox*S + kx - P, c] inside the image.

    x (N, H, W, C) -> y (N, OH, OW, C). Pixels of the padding do not count: a window at the edge divides by
    fewer.
    """

    def forward(self, x: Array, training: bool = False) -> Array:
        windows = self._windows(self._padded(x, 0))
        y = self.buffer("y" if training else "p", windows[0].shape)
        np.copyto(y, windows[0])
        for window in windows[1:]:
            y += window
        y /= self._counts()
        if training:
            self._keep(len(x))
        return y

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        (n,) = self._take_cache()
        if not need_dx:
            return None
        dpadded = self._nothing(n)
        share = dy / self._counts()
        for window in self._windows(dpadded):
            window += share  # (N, OH, OW, C)  dL/dx = dy / number of pixels, summed over the windows
        return np.ascontiguousarray(self._inside(dpadded))

    def _counts(self) -> Array:
        """Return the number of the image's pixels in each window, (1, OH, OW, 1)."""
        padded = np.zeros((1, *self.geometry.padded_size, 1), self.dtype)
        self._inside(padded)[...] = 1
        return np.asarray(sum(self._windows(padded)))


class GlobalAveragePooling2D(Layer):
    """y[n, c] = mean over the pixels of x[n, :, :, c], with x (N, H, W, C).

    keepdims  y is (N, 1, 1, C) instead of (N, C)
    """

    keepdims: bool = argument()

    def __init__(self, keepdims: bool = False, **common: Any) -> None:
        super().__init__(**common)
        self.keepdims = flag(keepdims, "keepdims")

    def build(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 3:
            raise ValueError(
                f"{self.name} needs an input of shape (height, width, channels), not {input_shape}"
            )
        return (1, 1, input_shape[-1]) if self.keepdims else input_shape[-1:]

    def forward(self, x: Array, training: bool = False) -> Array:
        if training:
            self._keep(x.shape)
        return x.mean(axis=(1, 2), keepdims=self.keepdims)

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        (shape,) = self._take_cache()
        if not need_dx:
            return None
        n, height, width, channels = shape
        dx = self.buffer("dx", shape)
        dx[...] = dy.reshape(n, 1, 1, channels)
        dx /= height * width  # (N, H, W, C)  every pixel has the same share of dy
        return dx

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "keepdims": self.keepdims}
