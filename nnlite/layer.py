"""Base classes of layers: declared weights, views of the model's flat arrays, a cache for one backward."""

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
    """A weight that a layer declares in `build`; the model gives it a place in a flat array.

    Trainable weights lie in `params`, the others (moving statistics) in `state`.
    """

    name: str
    shape: Shape
    initializer: initializers.Initializer
    regularizer: regularizers.Regularizer | None = None
    trainable: bool = True
    # views, once the model is built
    value: Array = field(default_factory=lambda: np.zeros(0), repr=False)
    gradient: Array = field(default_factory=lambda: np.zeros(0), repr=False)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)


class Layer:
    """One step of a model. Shapes are without the batch axis.

    build(input_shape)     declares the weights, returns the output's shape
    forward(x, training)   fills the cache for backward, only if training
    backward(dy, need_dx)  empties that cache, OVERWRITES the gradients of the layer's weights

    name         the layer's name in summary() and in files; the class's name in snake case by default
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
        """Declare the weights for inputs (N, *input_shape); return the output's shape.

        Raises ValueError if the layer cannot read this shape.
        """
        raise TypeError(f"{type(self).__name__} has no build")

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return y (N, *output_shape), a buffer of the layer's own; if training, keep what backward needs."""
        raise TypeError(f"{type(self).__name__} has no forward")

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        """Overwrite the weights' gradients from dL/dy (N, *output_shape); return dL/dx if need_dx.

        dy is not changed. Raises RuntimeError without a forward(training=True) of its own before it.
        """
        raise TypeError(f"{type(self).__name__} has no backward")

    def bound(self) -> None:
        """Name the weights self.W, self.dW ...: the model calls this once their views are in place."""

    def seed(self, rng: np.random.Generator) -> None:
        """Keep the layer's own generator; the model calls this once. Only layers that draw override it."""

    def add_weight(
        self, name: str, shape: Shape, initializer: Any, regularizer: Any = None, trainable: bool = True
    ) -> Weight:
        """Declare a weight inside `build`."""
        weight = Weight(name, shape, initializers.get(initializer), regularizers.get(regularizer), trainable)
        self.weights.append(weight)
        return weight

    def get_weights(self) -> list[Array]:
        """Return copies of the weights in Keras's order: kernel, bias; gamma, beta, moving mean, variance."""
        self._ensure_built()
        return [weight.value.copy() for weight in self.weights]

    def set_weights(self, values: list[Any]) -> None:
        """Overwrite all weights. Raises ValueError, and changes none, unless number and shapes fit."""
        self._ensure_built()
        arrays = [numbers(value, "a weight") for value in values]
        wanted = [weight.shape for weight in self.weights]
        if [array.shape for array in arrays] != wanted:
            raise ValueError(f"{self.name} needs weights of shapes {wanted}, not {[a.shape for a in arrays]}")
        for weight, array in zip(self.weights, arrays):
            weight.value[...] = array

    def count_params(self) -> int:
        """Return the number of weights, trainable or not."""
        self._ensure_built()
        return sum(weight.size for weight in self.weights)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values, enough to make the layer again."""
        config: dict[str, Any] = {"name": self.name}
        if self.input_shape is not None:
            config["input_shape"] = list(self.input_shape)
        return config

    def buffer(self, name: str, shape: Shape, dtype: Any = None) -> Array:
        """Return the layer's own array of this name and shape; it is zero at its first use."""
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

    def _activate(self, z: Array, activate: bool) -> activations.Activation:
        """Overwrite z (N, ...) with y = f(z), or leave it; return the function used."""
        used = self.activation if activate else activations.Linear()
        used.forward(z)
        return used

    def _activation_gradient(self, used: activations.Activation, y: Array, dy: Array) -> Array:
        """Return dL/dz = dL/dy f'(z), all (N, ...), computed from y."""
        return used.backward(y, dy, self.buffer("dz", y.shape))


class KernelLayer(ActivatedLayer):
    """A layer with a kernel W, an optional bias b and an activation at its end: Dense and Conv2D."""

    use_bias: bool
    initializers: tuple[Any, Any]  # of kernel and bias
    regularizers: tuple[Any, Any]

    def add_weights(self, kernel_shape: Shape) -> None:
        """Declare the kernel and, along its last axis, the bias."""
        self.kernel = self.add_weight("kernel", kernel_shape, self.initializers[0], self.regularizers[0])
        if self.use_bias:
            self.bias = self.add_weight("bias", kernel_shape[-1:], self.initializers[1], self.regularizers[1])

    def bound(self) -> None:
        self.W, self.dW = self.kernel.value, self.kernel.gradient
        self.b: Array | None = self.bias.value if self.use_bias else None
        self.db: Array | None = self.bias.gradient if self.use_bias else None

    def get_config(self) -> dict[str, Any]:
        penalties = [regularizers.get(identifier) for identifier in self.regularizers]
        kernel_penalty, bias_penalty = [None if p is None else p.get_config() for p in penalties]
        return {
            **super().get_config(),
            "activation": self.activation.name,
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.get(self.initializers[0]).get_config(),
            "bias_initializer": initializers.get(self.initializers[1]).get_config(),
            "kernel_regularizer": kernel_penalty,
            "bias_regularizer": bias_penalty,
        }


def as_shape(value: Any) -> Shape:
    """Turn 2 into (2,), [8, 8, 1] into (8, 8, 1). Raises ValueError unless every size is an integer >= 1."""
    sizes = (value,) if isinstance(value, (int, np.integer)) else value
    listed = isinstance(sizes, (tuple, list)) and len(sizes) > 0
    if not listed or any(not isinstance(n, (int, np.integer)) or n < 1 for n in sizes):
        raise ValueError(f"a shape must hold whole numbers >= 1, without the batch axis, not {value!r}")
    return tuple(int(n) for n in sizes)
