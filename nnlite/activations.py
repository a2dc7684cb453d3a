"""Activation functions with explicit derivatives.

forward(z) overwrites z (N, ...) with y = f(z) and returns it. backward(y, dy, dz) computes dL/dz from the
*output* y: most derivatives are functions of y alone, so z need not be kept. The others say `reads_input`:
for them layers keep a copy of z, and backward gets it in place of y.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from nnlite import names
from nnlite.arrays import Array
from nnlite.attributes import Guarded
from nnlite.erf import erf
from nnlite.names import from_registry
from nnlite.utils import missing_name


class Activation(Guarded):
    """A function f and its derivative.

    name         Keras's
    reads_input  whether backward needs z; otherwise it needs y
    has_kink     whether a derivative jumps at z = 0, where gradcheck does not measure
    """

    name = ""
    reads_input: ClassVar[bool] = False
    has_kink: ClassVar[bool] = False

    def forward(self, z: Array) -> Array:
        """Overwrite z (N, ...) with f(z) and return it."""
        raise TypeError("Activation is abstract: use one of its subclasses")

    def backward(self, y: Array, dy: Array, dz: Array) -> Array:
        """Return dL/dz from y (or z) and dL/dy, all (N, ...): the array dz, overwritten, or dy itself."""
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
    has_kink = True

    def forward(self, z: Array) -> Array:
        return np.maximum(z, 0, out=z)

    def backward(self, y: Array, dy: Array, dz: Array) -> Array:
        return np.multiply(dy, y > 0, out=dz)


class Sigmoid(Activation):
    """y = 1 / (1 + exp(-z)), dz = dy * y * (1 - y)."""

    name = "sigmoid"

    def forward(self, z: Array) -> Array:
        return _sigmoid(z, out=z)

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


class LeakyRelu(Activation):
    """y = z where z > 0, else 0.2 z. The layer LeakyReLU takes any slope."""

    name = "leaky_relu"
    has_kink = True
    negative_slope: ClassVar[float] = 0.2  # Keras's

    def forward(self, z: Array) -> Array:
        return leaky(z, self.negative_slope)

    def backward(self, y: Array, dy: Array, dz: Array) -> Array:
        return leaky_gradient(y, dy, dz, self.negative_slope)


def leaky(z: Array, slope: float) -> Array:
    """Overwrite z with slope z where z <= 0; slope >= 0."""
    return np.multiply(z, z.dtype.type(slope), out=z, where=z <= 0)


def leaky_gradient(y: Array, dy: Array, dz: Array, slope: float) -> Array:
    """Overwrite dz with dy where y > 0, else with slope dy; y has the sign of z."""
    np.copyto(dz, dy)
    return np.multiply(dy, dy.dtype.type(slope), out=dz, where=y <= 0)


class Elu(Activation):
    """y = z where z > 0, else exp(z) - 1, dz = dy where y > 0, else dy * (y + 1)."""

    name = "elu"
    has_kink = True  # of the second derivative

    def forward(self, z: Array) -> Array:
        return np.expm1(z, out=z, where=z <= 0)

    def backward(self, y: Array, dy: Array, dz: Array) -> Array:
        np.minimum(y, 0, out=dz)
        dz += 1
        dz *= dy
        return dz


class Silu(Activation):
    """y = z s with s = sigmoid(z), dz = dy * s * (1 + z (1 - s)). Its other name is swish."""

    name = "silu"
    reads_input = True

    def forward(self, z: Array) -> Array:
        z *= _sigmoid(z)
        return z

    def backward(self, z: Array, dy: Array, dz: Array) -> Array:
        s = _sigmoid(z)
        np.subtract(1, s, out=dz)
        dz *= z
        dz += 1
        dz *= s
        dz *= dy
        return dz


class Gelu(Activation):
    """y = z P(z) with P(z) = (1 + erf(z / sqrt 2)) / 2, dz = dy * (P(z) + z exp(-z^2 / 2) / sqrt(2 pi)).

    P is the normal distribution. It is exact, as Keras's default; the tanh approximation is not offered.
    """

    name = "gelu"
    reads_input = True

    def forward(self, z: Array) -> Array:
        z *= _normal_distribution(z)
        return z

    def backward(self, z: Array, dy: Array, dz: Array) -> Array:
        np.multiply(z, z, out=dz)
        dz *= -0.5
        np.exp(dz, out=dz)
        dz *= z
        dz *= 1 / math.sqrt(2 * math.pi)
        dz += _normal_distribution(z)
        dz *= dy
        return dz


def _sigmoid(z: Array, out: Array | None = None) -> Array:
    """Return 1 / (1 + exp(-z)). exp reads only z <= 0: it is finite for every z."""
    small = np.exp(-np.abs(z))  # in (0, 1]
    return np.divide(np.where(z >= 0, 1, small), 1 + small, out=out)


def _normal_distribution(z: Array) -> Array:
    half = z.dtype.type(0.5)
    return half + half * erf(z * z.dtype.type(math.sqrt(0.5)))


REGISTRY: dict[str, type[Activation]] = {
    cls.name: cls for cls in (Linear, Relu, LeakyRelu, Elu, Sigmoid, Tanh, Softplus, Softmax, Silu, Gelu)
}
REGISTRY["swish"] = Silu


def serialize(activation: Activation) -> str | dict[str, Any]:
    """Return what `get` makes an equal activation of: the name, or a config if there are arguments."""
    config = names.serialize(activation)
    return config["name"] if len(config) == 1 else config


def get(identifier: str | Activation | dict[str, Any] | None) -> Activation:
    """Return the activation of this name, class, config or object; None is linear."""
    return from_registry("linear" if identifier is None else identifier, REGISTRY, Activation, "activation")


def __getattr__(name: str) -> Any:
    raise missing_name("nnlite.activations", name, REGISTRY)
