"""Layers that change the shape, not the numbers."""

from __future__ import annotations

import math

from nnlite.arrays import Array
from nnlite.layers.layer import Layer
from nnlite.weights import Shape


class Flatten(Layer):
    """(N, ...) -> (N, D): the same numbers, one row for each example."""

    def build(self, input_shape: Shape) -> Shape:
        return (math.prod(input_shape),)

    def forward(self, x: Array, training: bool = False) -> Array:
        if training:
            self._keep(x.shape)
        return x.reshape(len(x), -1)

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        (shape,) = self._take_cache()
        return dy.reshape(shape)
