"""Layers whose training pass differs from their prediction: BatchNormalization and Dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.arrays import Array
from nnlite.layer import Layer, Shape


class BatchNormalization(Layer):
    """y = gamma (x - mean) / sqrt(var + epsilon) + beta, for each channel of the last axis.

    Training uses the batch's mean and biased variance, and moves m = momentum m + (1 - momentum) m_batch.
    Prediction uses these moving statistics m. They are not trained: they lie in the model's `state`.

    Source: Ioffe & Szegedy 2015; defaults as in Keras.
    """

    def __init__(
        self,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        if not (0 <= momentum < 1 and epsilon > 0):
            raise ValueError(f"need 0 <= momentum < 1 and epsilon > 0, not {momentum}, {epsilon}")
        self.momentum, self.epsilon = float(momentum), float(epsilon)
        self.center, self.scale = bool(center), bool(scale)

    def build(self, input_shape: Shape) -> Shape:
        channels = (input_shape[-1],)
        self.gamma = self.add_weight("gamma", channels, "ones") if self.scale else None
        self.beta = self.add_weight("beta", channels, "zeros") if self.center else None
        self.moving_mean = self.add_weight("moving_mean", channels, "zeros", trainable=False)
        self.moving_variance = self.add_weight("moving_variance", channels, "ones", trainable=False)
        return input_shape

    def forward(self, x: Array, training: bool = False) -> Array:
        y = self.buffer("y" if training else "p", x.shape)
        if not training:
            inverse = 1 / np.sqrt(self.moving_variance.value + self.dtype.type(self.epsilon))
            np.subtract(x, self.moving_mean.value, out=y)
            y *= inverse
            return self._affine(y)
        rows = tuple(range(x.ndim - 1))
        mean = x.mean(axis=rows)  # (C,)
        centred = np.subtract(x, mean, out=self.buffer("centred", x.shape))
        variance = np.mean(np.square(centred), axis=rows)  # (C,) biased, from centred values
        inverse = 1 / np.sqrt(variance + self.dtype.type(self.epsilon))
        self._move(self.moving_mean.value, mean)
        self._move(self.moving_variance.value, variance)
        centred *= inverse  # x_hat, in place
        self._keep(centred, inverse)
        np.copyto(y, centred)
        return self._affine(y)

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        x_hat, inverse = self._take_cache()
        rows = tuple(range(dy.ndim - 1))
        sum_dy = dy.sum(axis=rows)  # (C,)
        sum_dy_x = np.sum(dy * x_hat, axis=rows)  # (C,)
        if self.gamma is not None:
            self.gamma.gradient[...] = sum_dy_x  # (C,)  dL/dgamma = sum of dy x_hat
        if self.beta is not None:
            self.beta.gradient[...] = sum_dy  # (C,)  dL/dbeta = sum of dy
        if not need_dx:
            return None
        count = self.dtype.type(dy.size // dy.shape[-1])
        # dL/dx = gamma / std (dy - mean(dy) - x_hat mean(dy x_hat)): mean and variance depend on x too
        dx = np.multiply(x_hat, -sum_dy_x / count, out=self.buffer("dx", dy.shape))
        dx += dy
        dx -= sum_dy / count
        dx *= inverse if self.gamma is None else inverse * self.gamma.value
        return dx

    def _affine(self, y: Array) -> Array:
        if self.gamma is not None:
            y *= self.gamma.value
        if self.beta is not None:
            y += self.beta.value
        return y

    def _move(self, moving: Array, batch: Array) -> None:
        moving *= self.dtype.type(self.momentum)
        moving += self.dtype.type(1 - self.momentum) * batch

    def get_config(self) -> dict[str, Any]:
        own = {"momentum": self.momentum, "epsilon": self.epsilon, "center": self.center, "scale": self.scale}
        return {**super().get_config(), **own}


class Dropout(Layer):
    """Training sets each number to 0 with probability `rate` and divides the others by 1 - rate.

    Prediction returns x. Source: Srivastava et al. 2014 (inverted form).
    """

    def __init__(self, rate: float, **common: Any) -> None:
        super().__init__(**common)
        if not 0 <= rate < 1:
            raise ValueError(f"rate must be in [0, 1), not {rate}")
        self.rate = float(rate)

    def build(self, input_shape: Shape) -> Shape:
        return input_shape

    def seed(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def forward(self, x: Array, training: bool = False) -> Array:
        if not training:
            return x
        kept = self.rng.random(x.shape, dtype=np.float32) >= self.rate
        mask = np.multiply(kept, self.dtype.type(1 / (1 - self.rate)), out=self.buffer("mask", x.shape))
        self._keep(mask)
        return np.multiply(x, mask, out=self.buffer("y", x.shape))

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        (mask,) = self._take_cache()
        return np.multiply(dy, mask, out=self.buffer("dx", dy.shape)) if need_dx else None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}
