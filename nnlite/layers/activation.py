"""Activation: an activation function as a layer of its own."""

from __future__ import annotations

from typing import Any

from nnlite.arrays import Array
from nnlite.layers.activated import ActivatedLayer
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
        return {**super().get_config(), "activation": self.activation.name}
