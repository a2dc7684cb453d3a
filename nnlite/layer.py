"""The base of every layer: declared weights, views into the model's flat arrays, one cache for one backward
pass.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnlite import activations, initializers, regularizers
from nnlite.arrays import Array
from nnlite.utils import aligned_zeros, numbers, refuse_unknown, snake_case

Shape = tuple[int, ...]


@dataclass
class Weight:
    """A weight that a layer declares in `build`; the model gives it its place in the flat arrays.

    Trainable weights live in `params`, the others (moving statistics) in `state`.
    """

    name: str
    shape: Shape
    initializer: initializers.Initializer
    regularizer: regularizers.Regularizer | None = None
    trainable: bool = True
    value: Array = field(default_factory=lambda: np.zeros(0), repr=False)  # view, once the model is built
    gradient: Array = field(default_factory=lambda: np.zeros(0), repr=False)

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


class Layer:
    """One step of a model. Shapes are given without the batch axis.

    build(input_shape) declares the weights and returns the output's shape; it raises ValueError when it
    cannot fit. forward(x, training) keeps what backward needs only when training.
    backward(dy, need_dx) takes that cache once and OVERWRITES the gradients of the layer's weights.

    name         how the layer is called in summary() and in files; the class's name unless told otherwise
    input_shape  on the first layer: the shape of one example, (2,) or (8, 8, 1)
    """

    def __init__(self, name: str | None = None, input_shape: Any = None, **unknown: Any) -> None:
        refuse_unknown(unknown, type(self).__name__, type(self).__init__, Layer.__init__)
        self.name = name or snake_case(type(self).__name__)
        self.input_shape: Shape | None = None if input_shape is None else as_shape(input_shape)
        self.output_shape: Shape | None = None
        self.weights: list[Weight] = []
        self.dtype = np.dtype(np.float32)
        self.model: Any = None
        self._cache: tuple[Any, ...] | None = None
        self._buffers: dict[tuple[str, Shape], Array] = {}

    def build(self, input_shape: Shape) -> Shape:
        """Declare the weights for inputs (N, *input_shape), return the output's shape; ValueError if it
        cannot fit.
        """
        raise TypeError(f"{type(self).__name__} has no build")

    def forward(self, x: Array, training: bool = False) -> Array:
        """y (N, *output_shape) in an array of the layer's own; when training, what backward needs is kept."""
        raise TypeError(f"{type(self).__name__} has no forward")

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        """Overwrite the weights' gradients from dL/dy (N, *output_shape); return dL/dx when it is asked for.

        dy is left as it was. Raises RuntimeError without a forward(training=True) of its own before it.
        """
        raise TypeError(f"{type(self).__name__} has no backward")

    def bound(self) -> None:
        """Called when the weights' views are in place: the moment to name them self.W, self.dW."""

    def seed(self, rng: np.random.Generator) -> None:
        """Called once with the layer's own generator; only layers that draw numbers keep it."""

    def add_weight(
        self, name: str, shape: Shape, initializer: Any, regularizer: Any = None, trainable: bool = True
    ) -> Weight:
        """Declare a weight inside `build`."""
        weight = Weight(name, shape, initializers.get(initializer), regularizers.get(regularizer), trainable)
        self.weights.append(weight)
        return weight

    def get_weights(self) -> list[Array]:
        """Copies of the weights, in Keras's order (kernel, bias; gamma, beta, moving mean, moving
        variance).
        """
        self._ensure_built()
        return [weight.value.copy() for weight in self.weights]

    def set_weights(self, values: list[Any]) -> None:
        """Overwrite all weights; raises ValueError, and changes none, unless number and shapes are the
        layer's.
        """
        self._ensure_built()
        arrays = [numbers(value, "a weight") for value in values]
        wanted = [weight.shape for weight in self.weights]
        if [array.shape for array in arrays] != wanted:
            raise ValueError(f"{self.name} needs weights of shapes {wanted}, not {[a.shape for a in arrays]}")
        for weight, array in zip(self.weights, arrays):
            weight.value[...] = array

    def count_params(self) -> int:
        """Number of weights, trainable or not."""
        self._ensure_built()
        return sum(weight.size for weight in self.weights)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values, enough to make the layer again."""
        config: dict[str, Any] = {"name": self.name}
        if self.input_shape is not None:
            config["input_shape"] = list(self.input_shape)
        return config

    def buffer(self, name: str, shape: Shape, dtype: Any = None) -> Array:
        """The layer's own array of this name and shape, allocated at its first use and used again ever
        after.
        """
        key = (name, shape)
        found = self._buffers.get(key)
        if found is None:
            found = self._buffers[key] = aligned_zeros(shape, dtype or self.dtype)
        return found

    def _keep(self, *arrays: Any) -> None:
        self._cache = arrays

    def _take_cache(self) -> tuple[Any, ...]:
        if self._cache is None:
            raise RuntimeError(
                f"{self.name}: backward needs a forward(training=True) before it; one backward per forward"
            )
        cache, self._cache = self._cache, None
        return cache

    def _ensure_built(self) -> None:
        if self.output_shape is None:
            if self.model is None:
                raise ValueError(
                    f"{self.name} has no weights yet: add it to a model whose first layer has an input_shape"
                )
            self.model.build()


class ActivatedLayer(Layer):
    """A layer that ends in an activation function; a loss computed from logits leaves the function out."""

    def __init__(self, activation: Any = None, **common: Any) -> None:
        super().__init__(**common)
        self.activation = activations.get(activation)

    def forward(self, x: Array, training: bool = False, activate: bool = True) -> Array:
        raise TypeError(f"{type(self).__name__} has no forward")

    def _activate(self, z: Array, activate: bool) -> tuple[Array, activations.Activation]:
        """Overwrite z (N, ...) with y = f(z), or with z itself; return y and the function used."""
        used = self.activation if activate else activations.Linear()
        return used.forward(z), used

    def _activation_gradient(self, used: activations.Activation, y: Array, dy: Array) -> Array:
        """Return dL/dz = dL/dy f'(z), all (N, ...); z is known by y."""
        return used.backward(y, dy, self.buffer("dz", y.shape))


def as_shape(value: Any) -> Shape:
    """2 -> (2,), [8, 8, 1] -> (8, 8, 1); raises ValueError unless every size is a whole number >= 1."""
    sizes = (value,) if isinstance(value, (int, np.integer)) else value
    listed = isinstance(sizes, (tuple, list)) and len(sizes) > 0
    if not listed or any(not isinstance(n, (int, np.integer)) or n < 1 for n in sizes):
        raise ValueError(f"a shape must hold whole numbers >= 1, without the batch axis, not {value!r}")
    return tuple(int(n) for n in sizes)
