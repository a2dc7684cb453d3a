"""Stochastic gradient descent, with momentum or Nesterov's."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.arrays import Array
from nnlite.attributes import argument
from nnlite.optimizers.base import Optimizer, decay
from nnlite.utils import flag


class SGD(Optimizer):
    """p -= lr * g; with momentum mu: v = mu v - lr g, p += v (nesterov: p += mu v - lr g)."""

    hyperparameters = ("momentum", "nesterov")
    momentum: float = argument()
    nesterov: bool = argument()
    velocity: Array

    def __init__(
        self, learning_rate: Any = 0.01, momentum: float = 0.0, nesterov: bool = False, **clipping: Any
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self.momentum, self.nesterov = decay(momentum, "momentum"), flag(nesterov, "nesterov")
        self.moments = ("velocity",) if self.momentum else ()
        self.velocity = np.zeros(0, np.float32)

    def _step(self) -> None:
        number = self.grads.dtype.type
        change = self._clipped_gradient() * number(-self.learning_rate)
        if self.momentum:
            self.velocity *= number(self.momentum)
            self.velocity += change
            change = change + number(self.momentum) * self.velocity if self.nesterov else self.velocity
        self.params += change
        self.iterations += 1
