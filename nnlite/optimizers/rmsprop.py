"""RMSprop: steps divided by the root of the mean square of past gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.arrays import Array
from nnlite.attributes import argument, checked
from nnlite.optimizers.base import Optimizer, decay
from nnlite.utils import above_zero, flag


class RMSprop(Optimizer):
    """v = rho v + (1-rho) g^2, p -= lr g / sqrt(v + epsilon).

    centered  a = rho a + (1-rho) g, and the variance v - a^2 stands in place of v
    momentum  mu: the step u = mu u + lr g / sqrt(v + epsilon) is subtracted instead

    As in Keras, epsilon is inside the root. Source: Hinton 2012, lecture 6e; centered, Graves 2013.
    """

    hyperparameters = ("rho", "momentum", "epsilon", "centered")
    rho: float = checked(decay)
    momentum: float = argument()
    epsilon: float = checked(above_zero)
    centered: bool = argument()
    velocity: Array  # v, under Keras's names
    average_gradient: Array  # a
    increment: Array  # u

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **clipping: Any,
    ) -> None:
        super().__init__(learning_rate, **clipping)
        self.rho, self.epsilon = rho, epsilon
        self.momentum, self.centered = decay(momentum, "momentum"), flag(centered, "centered")
        used = {"velocity": True, "average_gradient": self.centered, "increment": bool(self.momentum)}
        self.moments = tuple(name for name in used if used[name])
        self.velocity = self.average_gradient = self.increment = np.zeros(0, np.float32)

    def _step(self) -> None:
        g, rate = self._clipped_gradient(), self.learning_rate
        self.velocity += (1 - self.rho) * (g * g - self.velocity)
        mean_square = self.velocity
        if self.centered:
            self.average_gradient += (1 - self.rho) * (g - self.average_gradient)
            variance = self.velocity - np.square(self.average_gradient)
            mean_square = np.maximum(variance, 0)  # rounding can make it negative, and its root NaN
        change = rate * g / np.sqrt(mean_square + self.epsilon)
        if self.momentum:
            self.increment *= self.momentum
            self.increment += change
            change = self.increment
        self.params -= change
        self.iterations += 1
