"""MaxPooling2D: the largest number of each window."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.arrays import Array
from nnlite.attributes import argument
from nnlite.convolution import Geometry
from nnlite.layers.layer import Layer
from nnlite.utils import pair
from nnlite.weights import Shape


class MaxPooling2D(Layer):
    """y[n, oy, ox, c] = max over ky, kx of x[n, oy*S + ky - P, ox*S + kx - P, c] inside the image.

    x (N, H, W, C) -> y (N, OH, OW, C). dy goes to the largest pixel of each window, the first of equals.
    """

    pool_size: tuple[int, int] = argument()
    strides: tuple[int, int] = argument()
    padding: str = argument()
    geometry: Geometry

    def __init__(
        self, pool_size: Any = (2, 2), strides: Any = None, padding: str = "valid", **common: Any
    ) -> None:
        super().__init__(**common)
        self.pool_size = pair(pool_size, "pool_size")
        self.strides = self.pool_size if strides is None else pair(strides, "strides")
        self.padding = padding

    def build(self, input_shape: Shape) -> Shape:
        self.geometry = Geometry.of(input_shape, self.pool_size, self.strides, self.padding, self.name)
        return (*self.geometry.out, input_shape[-1])

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
        g = self.geometry
        padded = self.buffer("padded", (len(x), *g.padded_size, g.channels))
        padded.fill(-np.inf)
        padded[:, g.top : g.top + g.height, g.left : g.left + g.width] = x
        return self._windows(padded)

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        winners, shape = self._take_cache()
        if not need_dx:
            return None
        g = self.geometry
        dpadded = self.buffer("dpadded", (shape[0], *g.padded_size, g.channels))
        dpadded.fill(0)
        for index, window in enumerate(self._windows(dpadded)):
            window += dy * (winners == index)  # (N, OH, OW, C)  dL/dx = dy where the pixel was the largest
        return np.ascontiguousarray(dpadded[:, g.top : g.top + g.height, g.left : g.left + g.width])

    def _windows(self, padded: Array) -> list[Array]:
        (kh, kw), (sh, sw), (oh, ow) = self.pool_size, self.strides, self.geometry.out
        return [
            padded[:, ky : ky + (oh - 1) * sh + 1 : sh, kx : kx + (ow - 1) * sw + 1 : sw]
            for ky in range(kh)
            for kx in range(kw)
        ]

    def _winners(self, windows: list[Array], y: Array) -> Array:
        """Return the index (N, OH, OW, C) of the view with the largest number, the first of equals."""
        winners = np.full(y.shape, len(windows), np.int32)
        for index in reversed(range(len(windows))):
            np.putmask(winners, windows[index] == y, index)
        return winners

    def get_config(self) -> dict[str, Any]:
        own = {"pool_size": list(self.pool_size), "strides": list(self.strides), "padding": self.padding}
        return {**super().get_config(), **own}
