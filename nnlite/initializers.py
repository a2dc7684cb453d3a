"""Initial values of weights. Keras's names; every draw comes from the generator of the call.

fan_in and fan_out are D and M of a Dense kernel (D, M), KH*KW*C and KH*KW*F of a convolution's (KH, KW, C,
F).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnlite.arrays import Array
from nnlite.attributes import Guarded, checked
from nnlite.names import from_registry, registry_name
from nnlite.utils import missing_name, not_negative, real

Shape = tuple[int, ...]

TRUNCATED_STD = 0.87962566103423978  # standard deviation of a unit normal cut off at 2 sigma


def fans(shape: Shape) -> tuple[int, int]:
    """Return (fan_in, fan_out) of a weight of this shape; (n, n) for a vector."""
    if len(shape) < 2:
        n = int(np.prod(shape))
        return n, n
    receptive = int(np.prod(shape[:-2]))
    return receptive * shape[-2], receptive * shape[-1]


def truncated_normal(rng: np.random.Generator, shape: Shape) -> Array:
    """Draw unit normal numbers again until all lie within 2 sigma."""
    values = rng.standard_normal(shape)
    outside = np.abs(values) > 2.0
    while outside.any():
        values[outside] = rng.standard_normal(int(outside.sum()))
        outside = np.abs(values) > 2.0
    return values


class Initializer(Guarded):
    """A function initializer(shape, rng) -> float64 array; the model casts it to its own dtype."""

    def __call__(self, shape: Shape, rng: np.random.Generator) -> Array:
        raise TypeError("Initializer is abstract: use one of its subclasses")

    def get_config(self) -> dict[str, Any]:
        """Return the name and, as the constructor's arguments, all attributes."""
        return {"name": registry_name(self), **vars(self)}


class Zeros(Initializer):
    """All 0."""

    def __call__(self, shape: Shape, rng: np.random.Generator) -> Array:
        return np.zeros(shape)


class Ones(Initializer):
    """All 1."""

    def __call__(self, shape: Shape, rng: np.random.Generator) -> Array:
        return np.ones(shape)


class Constant(Initializer):
    """All `value`."""

    value: float = checked(real)

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Shape, rng: np.random.Generator) -> Array:
        return np.full(shape, self.value)


class RandomNormal(Initializer):
    """Normal with this mean and standard deviation."""

    mean: float = checked(real)
    stddev: float = checked(not_negative)

    def __init__(self, mean: float = 0.0, stddev: float = 0.05) -> None:
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape: Shape, rng: np.random.Generator) -> Array:
        return rng.normal(self.mean, self.stddev, shape)


class RandomUniform(Initializer):
    """Uniform in [minval, maxval)."""

    minval: float = checked(real)
    maxval: float = checked(real)

    def __init__(self, minval: float = -0.05, maxval: float = 0.05) -> None:
        self.minval, self.maxval = minval, maxval

    def __call__(self, shape: Shape, rng: np.random.Generator) -> Array:
        return rng.uniform(self.minval, self.maxval, shape)


class VarianceScaling(Initializer):
    """Variance scale / n, where n is fan_in, fan_out or their mean.

    Source: Glorot & Bengio 2010; He et al. 2015.
    """

    scale = 1.0
    mode = "fan_avg"
    distribution = "uniform"

    def __call__(self, shape: Shape, rng: np.random.Generator) -> Array:
        fan_in, fan_out = fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return rng.uniform(-limit, limit, shape)
        return truncated_normal(rng, shape) * (math.sqrt(variance) / TRUNCATED_STD)


class GlorotUniform(VarianceScaling):
    """U(-l, l) with l = sqrt(6 / (fan_in + fan_out))."""


class GlorotNormal(VarianceScaling):
    """Normal cut at 2 sigma, rescaled to variance 2 / (fan_in + fan_out)."""

    distribution = "truncated_normal"


class HeUniform(VarianceScaling):
    """U(-l, l) with l = sqrt(6 / fan_in)."""

    scale, mode = 2.0, "fan_in"


class HeNormal(VarianceScaling):
    """Normal cut at 2 sigma, rescaled to variance 2 / fan_in."""

    scale, mode, distribution = 2.0, "fan_in", "truncated_normal"


class LecunUniform(VarianceScaling):
    """U(-l, l) with l = sqrt(3 / fan_in)."""

    mode = "fan_in"


class LecunNormal(VarianceScaling):
    """Normal cut at 2 sigma, rescaled to variance 1 / fan_in."""

    mode, distribution = "fan_in", "truncated_normal"


class Orthogonal(Initializer):
    """gain * Q of the QR decomposition of a normal matrix, signs made unique.  Source: Saxe et al. 2014."""

    gain: float = checked(real)

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Shape, rng: np.random.Generator) -> Array:
        rows, columns = int(np.prod(shape[:-1])), shape[-1]
        normal = rng.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(normal)
        q *= np.sign(np.diag(r))
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


REGISTRY: dict[str, type[Initializer]] = {
    "zeros": Zeros,
    "ones": Ones,
    "constant": Constant,
    "random_normal": RandomNormal,
    "random_uniform": RandomUniform,
    "glorot_uniform": GlorotUniform,
    "glorot_normal": GlorotNormal,
    "he_uniform": HeUniform,
    "he_normal": HeNormal,
    "lecun_uniform": LecunUniform,
    "lecun_normal": LecunNormal,
    "orthogonal": Orthogonal,
}

zeros, ones, constant = Zeros, Ones, Constant
random_normal, random_uniform = RandomNormal, RandomUniform
glorot_uniform, glorot_normal = GlorotUniform, GlorotNormal
he_uniform, he_normal = HeUniform, HeNormal
lecun_uniform, lecun_normal, orthogonal = LecunUniform, LecunNormal, Orthogonal

InitializerLike = str | Initializer | type[Initializer] | dict[str, Any]


def get(identifier: InitializerLike) -> Initializer:
    """Return the initializer of this name, class, config or object."""
    return from_registry(identifier, REGISTRY, Initializer, "initializer")


def __getattr__(name: str) -> Any:
    raise missing_name("nnlite.initializers", name, REGISTRY)
