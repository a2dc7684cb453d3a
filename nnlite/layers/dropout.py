"""Dropout: training leaves out a random part of the numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.arrays import Array
from nnlite.attributes import argument
from nnlite.layers.layer import Layer
from nnlite.utils import real
from nnlite.weights import Shape


class Dropout(Layer):
    """Training sets each number to 0 with probability `rate` and divides the others by 1 - rate.

    Prediction returns x. Source: Srivastava et al. 2014 (inverted form).
    """

    rate: float = argument()
    rng: np.random.Generator

    def __init__(self, rate: float, **common: Any) -> None:
        super().__init__(**common)
        self.rate = real(rate, "rate", 0, 1)

    def build(self, input_shape: Shape) -> Shape:
        return input_shape

    def seed(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def forward(self, x: Array, training: bool = False) -> Array:
        if not training:
            return x
        kept = self.rng.random(x.shape, dtype=np.float32) >= self.rate
        mask = np.multiply(kept, self.dtype.type(1 / (1 - self.rate)), out=self.buffer("mask", x.shape))
        self._keep(mask)
        return np.multiply(x, mask, out=self.buffer("y", x.shape))

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        (mask,) = self._take_cache()
        return np.multiply(dy, mask, out=self.buffer("dx", dy.shape)) if need_dx else None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}
