"""Adam: one compiled call for each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from nnlite_ext import _adam

from nnlite.arrays import Array
from nnlite.attributes import checked
from nnlite.optimizers.base import Optimizer, decay
from nnlite.utils import above_zero


class Adam(Optimizer):
    """m = b1 m + (1-b1) g, v = b2 v + (1-b2) g^2, p -= lr_t m / (sqrt(v) + epsilon).

    lr_t = lr sqrt(1 - b2^t) / (1 - b1^t). As in Keras, epsilon is outside the bias correction ("epsilon
    hat"). Source: Kingma & Ba 2015, end of section 2.
    """

    moments = ("m", "v")
    hyperparameters: tuple[str, ...] = ("beta_1", "beta_2", "epsilon")
    beta_1: float = checked(decay)
    beta_2: float = checked(decay)
    epsilon: float = checked(above_zero)
    m: Array
    v: Array

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **clipping: Any,
    ) -> None:
        super().__init__(learning_rate, **clipping)
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
            self._changed = self._schedule is not None  # then the next step has another rate
        count = self._count
        if not self._bound.advance(count[0] + 1):
            raise FloatingPointError(f"gradient is not finite at optimizer step {count[0] + 1}")
        count[0] += 1
