"""Activation functions with explicit derivatives.

forward(z) overwrites z (N, ...) with y = f(z) and returns it. backward(y, dy, dz) computes dL/dz from the
*output* y: every derivative below is a function of y alone, so z need not be kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite import names
from nnlite.arrays import Array
from nnlite.attributes import Guarded
from nnlite.names import from_registry
from nnlite.utils import missing_name


class Activation(Guarded):
    """A function f and its derivative. `name` is Keras's."""

    name = ""

    def forward(self, z: Array) -> Array:
        """Overwrite z (N, ...) with f(z) and return it."""
        raise TypeError("Activation is abstract: use one of its subclasses")

    def backward(self, y: Array, dy: Array, dz: Array) -> Array:
        """Return dL/dz from the output y and dL/dy, all (N, ...): the array dz, overwritten, or dy itself."""
        raise TypeError("Activation is abstract: use one of its subclasses")

    def get_config(self) -> dict[str, Any]:
        """Return the name and, as the constructor's arguments, all attributes."""
        return {"name": self.name, **vars(self)}


class Linear(Activation):
    """y = z, dz = dy."""

    name = "linear"

    def forward(self, z: Array) -> Array:
        return z

    def backward(self, y: Array, dy: Array, dz: Array) -> Array:
        return dy


class Relu(Activation):
    """y = max(z, 0), dz = dy where y > 0, else 0 (0 at the kink)."""

    name = "relu"

    def forward(self, z: Array) -> Array:
        return np.maximum(z, 0, out=z)

    def backward(self, y: Array, dy: Array, dz: Array) -> Array:
        return np.multiply(dy, y > 0, out=dz)


class Sigmoid(Activation):
    """y = 1 / (1 + exp(-z)), dz = dy * y * (1 - y). exp reads only z <= 0: y is finite for every z."""

    name = "sigmoid"

    def forward(self, z: Array) -> Array:
        small = np.exp(-np.abs(z))  # in (0, 1]
        return np.divide(np.where(z >= 0, 1, small), 1 + small, out=z)

    def backward(self, y: Array, dy: Array, dz: Array) -> Array:
        np.subtract(1, y, out=dz)
        dz *= y
        dz *= dy
        return dz


class Tanh(Activation):
    """y = tanh z, dz = dy * (1 - y^2) = dy * (1 - y) * (1 + y)."""

    name = "tanh"

    def forward(self, z: Array) -> Array:
        return np.tanh(z, out=z)

    def backward(self, y: Array, dy: Array, dz: Array) -> Array:
        np.subtract(1, y, out=dz)
        dz *= 1 + y
        dz *= dy
        return dz


class Softplus(Activation):
    """y = log(1 + exp z), dz = dy * sigmoid(z) = dy * (1 - exp(-y))."""

    name = "softplus"

    def forward(self, z: Array) -> Array:
        return np.logaddexp(z.dtype.type(0), z, out=z)

    def backward(self, y: Array, dy: Array, dz: Array) -> Array:
        np.negative(y, out=dz)
        np.expm1(dz, out=dz)
        dz *= dy
        return np.negative(dz, out=dz)


class Softmax(Activation):
    """y_i = exp(z_i) / sum_j exp(z_j) over the last axis, dz = y * (dy - sum_j dy_j y_j)."""

    name = "softmax"

    def forward(self, z: Array) -> Array:
        z -= z.max(axis=-1, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(axis=-1, keepdims=True)
        return z

    def backward(self, y: Array, dy: Array, dz: Array) -> Array:
        shared = np.sum(dy * y, axis=-1, keepdims=True)
        np.subtract(dy, shared, out=dz)
        dz *= y
        return dz


REGISTRY: dict[str, type[Activation]] = {
    cls.name: cls for cls in (Linear, Relu, Sigmoid, Tanh, Softplus, Softmax)
}


def serialize(activation: Activation) -> str | dict[str, Any]:
    """Return what `get` makes an equal activation of: the name, or a config if there are arguments."""
    config = names.serialize(activation)
    return config["name"] if len(config) == 1 else config


def get(identifier: str | Activation | dict[str, Any] | None) -> Activation:
    """Return the activation of this name, class, config or object; None is linear."""
    return from_registry("linear" if identifier is None else identifier, REGISTRY, Activation, "activation")


def __getattr__(name: str) -> Any:
    raise missing_name("nnlite.activations", name, REGISTRY)
