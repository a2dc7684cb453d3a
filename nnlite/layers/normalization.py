"""Layers that give numbers mean 0 and variance 1: BatchNormalization, LayerNormalization."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.arrays import Array
from nnlite.attributes import argument
from nnlite.layers.layer import Layer
from nnlite.utils import flag, is_whole, real
from nnlite.weights import Shape, Weight


class BatchNormalization(Layer):
    """y = gamma (x - mean) / sqrt(var + epsilon) + beta, for each channel of the last axis.

    Training uses the batch's mean and biased variance, and moves m = momentum m + (1 - momentum) m_batch.
    Prediction uses these moving statistics m. They are not trained: they lie in the model's `state`.

    Not trainable, it uses the moving statistics in training too, and leaves them as they are, as in Keras.

    Source: Ioffe & Szegedy 2015; defaults as in Keras.
    """

    momentum: float = argument()
    epsilon: float = argument()
    center: bool = argument()
    scale: bool = argument()
    gamma: Weight | None
    beta: Weight | None
    moving_mean: Weight
    moving_variance: Weight

    def __init__(
        self,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.momentum, self.epsilon = real(momentum, "momentum", 0, 1), real(epsilon, "epsilon", above=0)
        self.center, self.scale = flag(center, "center"), flag(scale, "scale")

    def build(self, input_shape: Shape) -> Shape:
        channels = (input_shape[-1],)
        self.gamma = self.add_weight("gamma", channels, "ones") if self.scale else None
        self.beta = self.add_weight("beta", channels, "zeros") if self.center else None
        self.moving_mean = self.add_weight("moving_mean", channels, "zeros", trainable=False)
        self.moving_variance = self.add_weight("moving_variance", channels, "ones", trainable=False)
        self._absent = tuple(name for name in ("gamma", "beta") if getattr(self, name) is None)
        return input_shape

    def forward(self, x: Array, training: bool = False) -> Array:
        y = self.buffer("y" if training else "p", x.shape)
        if not (training and self.trainable):
            inverse = 1 / np.sqrt(self.moving_variance.value + self.dtype.type(self.epsilon))
            np.subtract(x, self.moving_mean.value, out=y)
            y *= inverse
            if training:
                self._keep(None, inverse)
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
        if x_hat is None:  # frozen: mean and variance are constants, dL/dx = gamma / std dy
            slope = inverse if self.gamma is None else inverse * self.gamma.value
            return np.multiply(dy, slope, out=self.buffer("dx", dy.shape)) if need_dx else None
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


class LayerNormalization(Layer):
    """y = gamma (x - mean) / sqrt(var + epsilon) + beta; each example has its own mean and variance.

    axis  the axis, or several, that mean and biased variance are taken over; axis 0 is the batch. gamma and
          beta have the shape of these axes

    Source: Ba, Kiros & Hinton 2016; defaults as in Keras.
    """

    axis: tuple[int, ...] = argument()
    epsilon: float = argument()
    center: bool = argument()
    scale: bool = argument()
    axes: tuple[int, ...]  # of x, counted from its first
    gamma: Weight | None
    beta: Weight | None

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        several = (axis,) if is_whole(axis) else axis
        if not isinstance(several, (tuple, list)) or not several or not all(map(is_whole, several)):
            raise ValueError(f"axis must be a whole number or several, not {axis!r}")
        self.axis, self.epsilon = tuple(map(int, several)), real(epsilon, "epsilon", above=0)
        self.center, self.scale = flag(center, "center"), flag(scale, "scale")

    def build(self, input_shape: Shape) -> Shape:
        last = len(input_shape)
        self.axes = tuple(sorted({axis % (last + 1) for axis in self.axis}))
        in_range = all(-last <= axis <= last and axis != 0 for axis in self.axis)
        if not in_range or len(self.axes) < len(self.axis):
            raise ValueError(
                f"{self.name}: axis must name different axes from 1 to {last}, or from the end, "
                f"not {list(self.axis)}"
            )
        shape = tuple(input_shape[axis - 1] for axis in self.axes)
        self.gamma = self.add_weight("gamma", shape, "ones") if self.scale else None
        self.beta = self.add_weight("beta", shape, "zeros") if self.center else None
        self._absent = tuple(name for name in ("gamma", "beta") if getattr(self, name) is None)
        return input_shape

    def forward(self, x: Array, training: bool = False) -> Array:
        y = self.buffer("y" if training else "p", x.shape)
        mean = x.mean(axis=self.axes, keepdims=True)
        x_hat = np.subtract(x, mean, out=self.buffer("x_hat", x.shape) if training else y)
        variance = np.square(x_hat).mean(axis=self.axes, keepdims=True)  # biased, from centred values
        inverse = 1 / np.sqrt(variance + self.dtype.type(self.epsilon))
        x_hat *= inverse
        if training:
            self._keep(x_hat, inverse)
            np.copyto(y, x_hat)
        if self.gamma is not None:
            y *= self.along(self.gamma.value, x.ndim)
        if self.beta is not None:
            y += self.along(self.beta.value, x.ndim)
        return y

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        x_hat, inverse = self._take_cache()
        others = tuple(axis for axis in range(dy.ndim) if axis not in self.axes)
        if self.gamma is not None:
            np.sum(dy * x_hat, axis=others, out=self.gamma.gradient)  # dL/dgamma = sum of dy x_hat
        if self.beta is not None:
            np.sum(dy, axis=others, out=self.beta.gradient)  # dL/dbeta = sum of dy
        if not need_dx:
            return None
        slope = dy if self.gamma is None else dy * self.along(self.gamma.value, dy.ndim)  # dL/dx_hat
        mean = slope.mean(axis=self.axes, keepdims=True)
        mean_x = (slope * x_hat).mean(axis=self.axes, keepdims=True)
        # dL/dx = (s - mean(s) - x_hat mean(s x_hat)) / std: mean and variance depend on x too
        dx = np.multiply(x_hat, -mean_x, out=self.buffer("dx", dy.shape))
        dx += slope
        dx -= mean
        dx *= inverse
        return dx

    def along(self, weight: Array, ndim: int) -> Array:
        """Return gamma or beta with an axis of length 1 for each axis of x (ndim of them) that it lacks."""
        return np.expand_dims(weight, tuple(axis for axis in range(ndim) if axis not in self.axes))

    def get_config(self) -> dict[str, Any]:
        own = {"axis": list(self.axis), "epsilon": self.epsilon, "center": self.center, "scale": self.scale}
        return {**super().get_config(), **own}
