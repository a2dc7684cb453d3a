"""Rescaling: bytes of a screen become small numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.arrays import Array
from nnlite.attributes import argument
from nnlite.layers.conv2d import Conv2D
from nnlite.layers.layer import Layer
from nnlite.utils import real
from nnlite.weights import Shape


class Rescaling(Layer):
    """y = x * scale + offset. x may be uint8, as screens are: then frames stay bytes up to this layer.

    A Conv2D that follows multiplies by `scale` itself, while it pads, and this layer returns x as it is.
    """

    accepts_bytes = True
    scale: float = argument()
    offset: float = argument()
    handed_over: bool

    def __init__(self, scale: float, offset: float = 0.0, **common: Any) -> None:
        super().__init__(**common)
        self.scale, self.offset = real(scale, "scale"), real(offset, "offset")
        self.handed_over = False

    def build(self, input_shape: Shape) -> Shape:
        return input_shape

    def hand_over(self, following: Layer) -> None:
        """Leave the multiplication to the following layer if it is a convolution and there is no offset."""
        if isinstance(following, Conv2D) and self.offset == 0:
            following.input_scale, self.handed_over = self.scale, True

    def forward(self, x: Array, training: bool = False) -> Array:
        if training:
            self._keep()
        if self.handed_over:
            return x
        y = self.buffer("y" if training else "p", x.shape)
        np.multiply(x, self.dtype.type(self.scale), out=y, casting="unsafe")
        if self.offset:
            y += self.dtype.type(self.offset)
        return y

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        self._take_cache()
        # also after handing over: the convolution's dx is that of the scaled image
        return dy * dy.dtype.type(self.scale) if need_dx else None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}
