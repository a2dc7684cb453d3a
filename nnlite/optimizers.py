"""Optimizers on flat arrays: a step reads `grads` once and overwrites `params`. Keras's names and semantics.

An optimizer is made alone, as in Keras, then bound to the arrays that it changes:

    optimizer = Adam(learning_rate=1e-4, clipvalue=1.0).bind(model.params, model.grads, model.variables)
    optimizer.step()

`variables` are the slices that `clipnorm` limits one by one. A NaN or infinity in the gradient raises
FloatingPointError before any weight is changed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from nnlite_ext import _adam

from nnlite.arrays import Array
from nnlite.utils import aligned_zeros, from_registry, missing_name, registry_name


class Optimizer:
    """Base of SGD and Adam: the learning rate, three kinds of clipping, the check for finite gradients.

    learning_rate    step size, >= 0; may be changed between steps
    clipnorm         scales each variable's gradient down to at most this Euclidean norm
    clipvalue        clips each element to [-clipvalue, clipvalue]
    global_clipnorm  scales the whole gradient down to at most this norm
    lr               Keras's older name of learning_rate
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        lr: float | None = None,
    ) -> None:
        self.learning_rate = float(learning_rate if lr is None else lr)
        if not self.learning_rate >= 0 or math.isinf(self.learning_rate):
            raise ValueError(f"learning_rate must be a finite number >= 0, not {self.learning_rate}")
        limits = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        given = [name for name, limit in limits.items() if limit is not None]
        if len(given) > 1:
            raise ValueError(f"only one kind of clipping at a time, not {' and '.join(given)}")
        for name in given:
            if not limits[name] > 0:  # type: ignore[operator]
                raise ValueError(f"{name} must be > 0, not {limits[name]}")
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.iterations = 0
        self.params = self.grads = np.zeros(0, np.float32)
        self.edges: Sequence[int] = ()  # between the variables

    @property
    def lr(self) -> float:
        """Keras's older name of learning_rate."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: float) -> None:
        self.learning_rate = float(value)

    def bind(self, params: Array, grads: Array, variables: Sequence[slice] | None = None) -> Optimizer:
        """Work on these two flat arrays of one shape and dtype from now on; reset all moments. Return self.

        Raises ValueError unless both arrays can be changed in place: contiguous, aligned, writeable, float32
        or float64 of this machine's byte order, without shared memory. Raises it too unless the variables
        cover params one after the other.
        """
        for name, array in (("params", params), ("grads", grads)):
            fits = isinstance(array, np.ndarray) and array.dtype in (np.float32, np.float64)
            if not fits or not array.flags.carray:
                raise ValueError(f"{name} must be a contiguous, writeable array of float32 or float64")
        if params.shape != grads.shape or params.dtype != grads.dtype or params.ndim != 1:
            raise ValueError(
                f"params {params.dtype}{params.shape} and grads {grads.dtype}{grads.shape} must be flat "
                "and alike"
            )
        if np.may_share_memory(params, grads):
            raise ValueError("params and grads must not share memory")
        places = [slice(0, params.size)] if variables is None else variables
        edges = [0, *(place.stop for place in places)]
        if edges[-1] != params.size or [place.start for place in places] != edges[:-1]:
            raise ValueError(
                f"variables must be slices that lie one behind the other and reach from 0 to {params.size}"
            )
        self.params, self.grads, self.edges = params, grads, edges
        self.iterations = 0
        for name in self.moments:
            setattr(self, name, aligned_zeros(params.shape, params.dtype))
        return self

    moments: tuple[str, ...] = ()
    """Names of the flat arrays that one step leaves for the next."""

    def step(self) -> None:
        """Clip the gradient and change the parameters once."""
        scale = self._clip_norms()
        self.iterations += 1
        self._update(scale)

    def _update(self, scale: float) -> None:
        raise TypeError("Optimizer is abstract: use SGD or Adam")

    def _clip_norms(self) -> float:
        """Apply clipnorm in place; return global_clipnorm's factor, which `_update` applies."""
        squares = _adam.sum_of_squares(self.grads)
        if not math.isfinite(squares):
            raise FloatingPointError(f"gradient is not finite at optimizer step {self.iterations + 1}")
        if self.global_clipnorm is not None:
            norm = math.sqrt(squares)
            return self.global_clipnorm / norm if norm > self.global_clipnorm else 1.0
        # below this, no single variable can have a norm above clipnorm
        if self.clipnorm is not None and squares > self.clipnorm**2:
            for first, last in itertools.pairwise(self.edges):
                variable = self.grads[first:last]
                norm = math.sqrt(_adam.sum_of_squares(variable))
                if norm > self.clipnorm:
                    variable *= self.grads.dtype.type(self.clipnorm / norm)
        return 1.0

    def get_state(self) -> dict[str, Array]:
        """Return all arrays that the next step depends on: `iterations` and the moments."""
        return {
            "iterations": np.array(self.iterations, np.int64),
            **{name: getattr(self, name).copy() for name in self.moments},
        }

    def set_state(self, state: dict[str, Array]) -> None:
        """Restore a state of get_state. Raises ValueError if a moment is missing or of another size."""
        for name in self.moments:
            if name not in state or state[name].shape != self.params.shape:
                raise ValueError(f"optimizer state {name!r} does not fit {self.params.shape}")
        for name in self.moments:
            getattr(self, name)[...] = state[name]
        self.iterations = int(state["iterations"])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, and the name."""
        names = ["learning_rate", "clipnorm", "clipvalue", "global_clipnorm", *self.hyperparameters]
        return {"name": registry_name(self), **{name: getattr(self, name) for name in names}}

    hyperparameters: tuple[str, ...] = ()


class SGD(Optimizer):
    """p -= lr * g; with momentum mu: v = mu v - lr g, p += v (nesterov: p += mu v - lr g)."""

    hyperparameters = ("momentum", "nesterov")

    def __init__(
        self, learning_rate: float = 0.01, momentum: float = 0.0, nesterov: bool = False, **clipping: Any
    ) -> None:
        super().__init__(learning_rate, **_known(clipping))
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum must be in [0, 1), not {momentum}")
        self.momentum, self.nesterov = float(momentum), bool(nesterov)
        self.moments = ("velocity",) if self.momentum else ()
        self.velocity = np.zeros(0, np.float32)

    def _update(self, scale: float) -> None:
        number = self.grads.dtype.type
        grads = self.grads if scale == 1.0 else self.grads * number(scale)
        if self.clipvalue is not None:
            grads = np.clip(grads, -self.clipvalue, self.clipvalue)
        change = grads * number(-self.learning_rate)
        if self.momentum:
            self.velocity *= number(self.momentum)
            self.velocity += change
            change = change + number(self.momentum) * self.velocity if self.nesterov else self.velocity
        self.params += change


class Adam(Optimizer):
    """m = b1 m + (1-b1) g, v = b2 v + (1-b2) g^2, p -= lr_t m / (sqrt(v) + epsilon).

    lr_t = lr sqrt(1 - b2^t) / (1 - b1^t). As in Keras, epsilon is outside the bias correction ("epsilon
    hat"). Source: Kingma & Ba 2015, end of section 2.
    """

    moments = ("m", "v")
    hyperparameters = ("beta_1", "beta_2", "epsilon")

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **clipping: Any,
    ) -> None:
        super().__init__(learning_rate, **_known(clipping))
        if not (0 <= beta_1 < 1 and 0 <= beta_2 < 1 and epsilon > 0):
            raise ValueError(f"need 0 <= beta < 1 and epsilon > 0, not {beta_1}, {beta_2}, {epsilon}")
        self.beta_1, self.beta_2, self.epsilon = float(beta_1), float(beta_2), float(epsilon)
        self.m = self.v = np.zeros(0, np.float32)
        self._bound: _adam.BoundAdam | None = None

    def bind(self, params: Array, grads: Array, variables: Sequence[slice] | None = None) -> Adam:
        super().bind(params, grads, variables)
        self._bound = _adam.BoundAdam(params, grads, self.m, self.v, np.array(self.edges, np.int64))
        return self

    def step(self) -> None:
        """Clip the gradient and change the parameters once, in one compiled call."""
        if self._bound is None:
            raise RuntimeError("this optimizer is not bound: call bind(params, grads) first")
        t = self.iterations + 1
        rate, b1, b2, epsilon = self.learning_rate, self.beta_1, self.beta_2, self.epsilon
        value, norm, global_norm = self.clipvalue or 0.0, self.clipnorm or 0.0, self.global_clipnorm or 0.0
        if not self._bound.step(rate, b1, b2, epsilon, value, global_norm, norm, t):
            raise FloatingPointError(f"gradient is not finite at optimizer step {t}")
        self.iterations = t


def _known(clipping: dict[str, Any]) -> dict[str, Any]:
    unknown = set(clipping) - {"clipnorm", "clipvalue", "global_clipnorm", "lr"}
    if unknown:
        raise TypeError(
            f"unknown optimizer argument {', '.join(sorted(unknown))}; there are learning_rate (or lr), "
            "clipnorm, clipvalue, global_clipnorm; SGD also momentum, nesterov; "
            "Adam also beta_1, beta_2, epsilon"
        )
    return clipping


REGISTRY: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam}


def get(identifier: str | Optimizer | dict[str, Any]) -> Optimizer:
    """Return the optimizer of this name, class, config or object."""
    return from_registry(identifier, REGISTRY, Optimizer, "optimizer")


def __getattr__(name: str) -> Any:
    raise missing_name("nnlite.optimizers", name, ["SGD", "Adam"])
