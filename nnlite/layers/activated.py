"""Base classes of layers with an activation at their end, and of those that have kernel and bias too."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite import activations, initializers, regularizers
from nnlite.arrays import Array
from nnlite.attributes import argument
from nnlite.layers.layer import Layer
from nnlite.names import serialize
from nnlite.utils import flag
from nnlite.weights import Shape, Weight


class ActivatedLayer(Layer):
    """A layer that ends in an activation function; a loss computed from logits leaves the function out."""

    def __init__(self, activation: Any = None, **common: Any) -> None:
        super().__init__(**common)
        self._activation = activations.get(activation)

    @property
    def activation(self) -> activations.Activation:
        """The function at the layer's end; another name, class or object may be set at any time."""
        return self._activation

    @activation.setter
    def activation(self, value: Any) -> None:
        self._activation = activations.get(value)
        self._changed()

    def forward(self, x: Array, training: bool = False, activate: bool = True) -> Array:
        raise TypeError(f"{type(self).__name__} has no forward")

    def _activate(
        self, z: Array, training: bool, activate: bool = True
    ) -> tuple[activations.Activation, Array]:
        """Overwrite z (N, ...) with y = f(z), or leave it; return f and what its derivative is computed from.

        This is y, or a copy of z that only training makes.
        """
        used = self._activation if activate else activations.Linear()
        kept = z
        if training and used.reads_input:
            kept = self.buffer("z", z.shape)
            np.copyto(kept, z)
        used.forward(z)
        return used, kept

    def _activation_gradient(self, used: activations.Activation, kept: Array, dy: Array) -> Array:
        """Return dL/dz = dL/dy f'(z), all (N, ...), from what `_activate` returned."""
        return used.backward(kept, dy, self.buffer("dz", dy.shape))


class KernelLayer(ActivatedLayer):
    """A layer with a kernel W, an optional bias b and an activation at its end: Dense and Conv2D."""

    use_bias: bool = argument()
    kernel_initializer: initializers.Initializer = argument()
    bias_initializer: initializers.Initializer = argument()
    kernel_regularizer: regularizers.Regularizer | None = argument()
    bias_regularizer: regularizers.Regularizer | None = argument()
    kernel: Weight
    bias: Weight
    W: Array  # views of kernel and bias, and of their gradients
    dW: Array
    b: Array | None
    db: Array | None

    def __init__(
        self,
        activation: Any,
        use_bias: bool,
        initializer: tuple[Any, Any],
        regularizer: tuple[Any, Any],
        **common: Any,
    ) -> None:
        """initializer, regularizer: of kernel and bias."""
        super().__init__(activation, **common)
        self.use_bias = flag(use_bias, "use_bias")
        self.kernel_initializer, self.bias_initializer = map(initializers.get, initializer)
        self.kernel_regularizer, self.bias_regularizer = map(regularizers.get, regularizer)

    def add_weights(self, kernel_shape: Shape) -> None:
        """Declare the kernel and, along its last axis, the bias."""
        self.kernel = self.add_weight(
            "kernel", kernel_shape, self.kernel_initializer, self.kernel_regularizer
        )
        if self.use_bias:
            shape = kernel_shape[-1:]
            self.bias = self.add_weight("bias", shape, self.bias_initializer, self.bias_regularizer)

    def bound(self) -> None:
        self.W, self.dW = self.kernel.value, self.kernel.gradient
        self.b = self.bias.value if self.use_bias else None
        self.db = self.bias.gradient if self.use_bias else None
        self._absent = () if self.use_bias else ("bias", "b", "db")

    def get_config(self) -> dict[str, Any]:
        kernel_penalty, bias_penalty = self.kernel_regularizer, self.bias_regularizer
        return {
            **super().get_config(),
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": serialize(self.kernel_initializer),
            "bias_initializer": serialize(self.bias_initializer),
            "kernel_regularizer": None if kernel_penalty is None else serialize(kernel_penalty),
            "bias_regularizer": None if bias_penalty is None else serialize(bias_penalty),
        }
