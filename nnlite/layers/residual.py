"""Residual: what its layers compute, added to what they read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nnlite.arrays import Array
from nnlite.attributes import put
from nnlite.layers.layer import Layer, declare, take_names
from nnlite.layers.registry import described, layer_from
from nnlite.utils import flag
from nnlite.weights import Shape, Weight


class Residual(Layer):
    """y = x + f(x), where f is its layers, one after the other; x, f(x) and y have one shape.

    layers     the layers of f; a Residual may be among them
    trainable  False: no weight inside is trained. Setting it sets every inner layer's, as in Keras

    The inner weights are this layer's weights, as dense/kernel, dense/bias ... Source: He et al. 2015.
    """

    def __init__(self, layers: Iterable[Layer | dict[str, Any]], **common: Any) -> None:
        super().__init__(**common)
        inner = tuple(layer_from(layer) if isinstance(layer, dict) else layer for layer in layers)
        if not inner:
            raise ValueError("a Residual needs at least one layer")
        for layer in inner:
            if not isinstance(layer, Layer):
                raise TypeError(f"a Residual holds layers, not {type(layer).__name__}")
            if layer.is_taken:
                raise ValueError(f"{layer.name} already belongs to a model; every layer stands in one place")
            layer._holder = self
        take_names(inner)
        self._inner = inner

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of f, in order."""
        return self._inner

    @property
    def trainable(self) -> bool:
        """Whether training changes weights inside; an inner layer's own `trainable` counts too."""
        return super().trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = flag(value, "trainable")
        for layer in self._inner:
            layer.trainable = value
        self._changed()

    @property
    def trainable_weights(self) -> tuple[Weight, ...]:
        return tuple(weight for layer in self._inner for weight in layer.trainable_weights)

    def build(self, input_shape: Shape) -> Shape:
        shape = declare(self._inner, input_shape, self.dtype)
        if shape != input_shape:
            raise ValueError(
                f"{self.name} adds f(x) to x, so its layers must keep the shape {input_shape}; "
                f"they return {shape}"
            )
        for layer in self._inner:
            for weight in layer.weights:
                put(weight, "name", f"{layer.name}/{weight.name}")
                self._weights.append(weight)
        return shape

    def bound(self) -> None:
        for layer in self._inner:
            layer.bound()

    def seed(self, rng: np.random.Generator) -> None:
        for layer, own in zip(self._inner, rng.spawn(len(self._inner))):
            layer.seed(own)

    def forward(self, x: Array, training: bool = False) -> Array:
        fx = x
        for layer in self._inner:
            fx = layer.forward(fx, training)
        if training:
            self._keep()
        return np.add(x, fx, out=self.buffer("y" if training else "p", x.shape))

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        self._take_cache()
        gradient = dy
        for layer in reversed(self._inner[1:]):
            gradient = layer.backward(gradient)  # type: ignore[assignment]
        inner = self._inner[0].backward(gradient, need_dx)
        if not need_dx or inner is None:
            return None
        return np.add(dy, inner, out=self.buffer("dx", dy.shape))  # (N, ...)  dL/dx = dy + dy f'(x)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "layers": [described(layer) for layer in self._inner]}
