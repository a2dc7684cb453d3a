"""Optimizers on flat arrays: a step reads `grads` once and overwrites `params`. Keras's names and semantics.

An optimizer is made alone, as in Keras, then bound to the arrays that it changes:

    optimizer = Adam(learning_rate=1e-4, clipvalue=1.0).bind(model.params, model.grads, model.variables)
    optimizer.step()

`variables` are the slices that `clipnorm` limits one by one. A NaN or infinity in the gradient raises
FloatingPointError before any weight is changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from nnlite_ext import _adam

from nnlite.arrays import Array
from nnlite.attributes import argument, checked
from nnlite.optimizer import Optimizer, decay
from nnlite.utils import above_zero, flag, from_registry, missing_name

__all__ = ["REGISTRY", "SGD", "Adam", "Optimizer", "get"]


class SGD(Optimizer):
    """p -= lr * g; with momentum mu: v = mu v - lr g, p += v (nesterov: p += mu v - lr g)."""

    hyperparameters = ("momentum", "nesterov")
    momentum: float = argument()
    nesterov: bool = argument()
    velocity: Array

    def __init__(
        self, learning_rate: float = 0.01, momentum: float = 0.0, nesterov: bool = False, **clipping: Any
    ) -> None:
        super().__init__(learning_rate, **_known(clipping))
        self.momentum, self.nesterov = decay(momentum, "momentum"), flag(nesterov, "nesterov")
        self.moments = ("velocity",) if self.momentum else ()
        self.velocity = np.zeros(0, np.float32)

    def _step(self) -> None:
        scale = self._clip_norms()
        self.iterations += 1
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
    beta_1: float = checked(decay)
    beta_2: float = checked(decay)
    epsilon: float = checked(above_zero)
    m: Array
    v: Array

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **clipping: Any,
    ) -> None:
        super().__init__(learning_rate, **_known(clipping))
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.m = self.v = np.zeros(0, np.float32)
        self._bound: _adam.BoundAdam

    def bind(self, params: Array, grads: Array, variables: Sequence[slice] | None = None) -> Adam:
        super().bind(params, grads, variables)
        self._bound = _adam.BoundAdam(params, grads, self.m, self.v, np.array(self._edges, np.int64))
        self._keeps_gil = params.size < _adam.LONG
        return self

    def _step(self) -> None:
        if self._changed:
            limits = self.clipvalue or 0.0, self.global_clipnorm or 0.0, self.clipnorm or 0.0
            self._bound.configure(self.learning_rate, self.beta_1, self.beta_2, self.epsilon, *limits)
            self._changed = False
        count = self._count
        if not self._bound.advance(count[0] + 1):
            raise FloatingPointError(f"gradient is not finite at optimizer step {count[0] + 1}")
        count[0] += 1


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
