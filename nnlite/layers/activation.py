"""Activation functions as layers of their own: Activation, and LeakyReLU with its slope."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.activations import leaky, leaky_gradient, serialize
from nnlite.arrays import Array
from nnlite.attributes import argument
from nnlite.layers.activated import ActivatedLayer
from nnlite.layers.layer import Layer
from nnlite.utils import not_negative
from nnlite.weights import Shape


class Activation(ActivatedLayer):
    """y = f(x), element by element (softmax: over the last axis)."""

    def build(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, x: Array, training: bool = False, activate: bool = True) -> Array:
        y = self.buffer("y" if training else "p", x.shape)
        y[...] = x
        used, kept = self._activate(y, training, activate)
        if training:
            self._keep(kept, used)
        return y

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        kept, used = self._take_cache()
        return self._activation_gradient(used, kept, dy) if need_dx else None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": serialize(self.activation)}


class LeakyReLU(Layer):
    """y = x where x > 0, else negative_slope x; dx = dy where y > 0, else negative_slope dy."""

    negative_slope: float = argument()

    def __init__(self, negative_slope: float = 0.3, **common: Any) -> None:
        super().__init__(**common)
        self.negative_slope = not_negative(negative_slope, "negative_slope")

    def build(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, x: Array, training: bool = False) -> Array:
        y = self.buffer("y" if training else "p", x.shape)
        np.copyto(y, x)
        if training:
            self._keep(y)
        return leaky(y, self.negative_slope)

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        (y,) = self._take_cache()
        return leaky_gradient(y, dy, self.buffer("dx", dy.shape), self.negative_slope) if need_dx else None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "negative_slope": self.negative_slope}
