"""The layers. N is the batch, D and M features, H W C an image, F filters, K a kernel side.

Each class states its equation; each line of a backward pass states the derivative it computes and its shape.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnlite import activations, initializers, products, regularizers
from nnlite.arrays import Array
from nnlite.convolution import PATHS, Geometry, default_path
from nnlite.layer import ActivatedLayer, Layer, Shape
from nnlite.normalization import BatchNormalization, Dropout
from nnlite.pooling import MaxPooling2D
from nnlite.utils import missing_name, pair, positive

__all__ = [
    "REGISTRY",
    "Activation",
    "ActivatedLayer",
    "BatchNormalization",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "Layer",
    "MaxPooling2D",
    "Rescaling",
]


class Dense(ActivatedLayer):
    """y = f(x @ W + b), with x (N, D), W (D, M), b (M,), y (N, M). Leading axes beyond N are kept."""

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        **common: Any,
    ) -> None:
        super().__init__(activation, **common)
        self.units, self.use_bias = positive(units, "units"), bool(use_bias)
        self.initializers = (kernel_initializer, bias_initializer)
        self.regularizers = (kernel_regularizer, bias_regularizer)

    def build(self, input_shape: Shape) -> Shape:
        self.kernel = self.add_weight(
            "kernel", (input_shape[-1], self.units), self.initializers[0], self.regularizers[0]
        )
        if self.use_bias:
            self.bias = self.add_weight("bias", (self.units,), self.initializers[1], self.regularizers[1])
        return (*input_shape[:-1], self.units)

    def bound(self) -> None:
        self.W, self.dW = self.kernel.value, self.kernel.gradient
        self.b: Array | None = self.bias.value if self.use_bias else None
        self.db: Array | None = self.bias.gradient if self.use_bias else None

    def forward(self, x: Array, training: bool = False, activate: bool = True) -> Array:
        y = self.buffer("y" if training else "p", (*x.shape[:-1], self.units))
        fused = activate and isinstance(self.activation, activations.Relu)
        products.affine(
            x.reshape(-1, x.shape[-1]), self.W, self.b, y.reshape(-1, self.units), fused
        )  # (N, M)
        used = self.activation if fused else self._activate(y, activate)[1]
        if training:
            self._keep(x, y, used)
        return y

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        x, y, used = self._take_cache()
        dz = self._activation_gradient(used, y, dy).reshape(-1, self.units)  # (N, M)  dL/dz = dy f'(z)
        products.weight_gradients(
            x.reshape(-1, x.shape[-1]), dz, self.dW, self.db
        )  # dL/dW = x' dz, dL/db = sum over the batch
        if not need_dx:
            return None
        dx = self.buffer("dx", x.shape)
        products.input_gradient(dz, self.W, dx.reshape(-1, x.shape[-1]), self.buffer)  # (N, D)  dL/dx = dz W'
        return dx

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, **_weight_config(self)}


class Conv2D(ActivatedLayer):
    """y[n, oy, ox, :] = f(sum over ky, kx, c of x[n, oy*S + ky - P, ox*S + kx - P, c] W[ky, kx, c, :] + b).

    x (N, H, W, C), W (KH, KW, C, F), b (F,), y (N, OH, OW, F); zeros stand outside the image (NHWC, as in
    Keras).
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        **common: Any,
    ) -> None:
        super().__init__(activation, **common)
        self.filters, self.use_bias = positive(filters, "filters"), bool(use_bias)
        self.kernel_size, self.strides = pair(kernel_size, "kernel_size"), pair(strides, "strides")
        self.padding = padding
        self.input_scale = 1.0
        self.initializers = (kernel_initializer, bias_initializer)
        self.regularizers = (kernel_regularizer, bias_regularizer)

    def build(self, input_shape: Shape) -> Shape:
        self.geometry = Geometry.of(input_shape, self.kernel_size, self.strides, self.padding, self.name)
        shape = (*self.kernel_size, input_shape[-1], self.filters)
        self.kernel = self.add_weight("kernel", shape, self.initializers[0], self.regularizers[0])
        if self.use_bias:
            self.bias = self.add_weight("bias", (self.filters,), self.initializers[1], self.regularizers[1])
        return (*self.geometry.out, self.filters)

    def bound(self) -> None:
        self.W, self.dW = self.kernel.value, self.kernel.gradient
        self.b: Array | None = self.bias.value if self.use_bias else None
        self.db: Array | None = self.bias.gradient if self.use_bias else None
        self.path = PATHS[default_path()](self.geometry, self.filters, self.buffer)

    def forward(self, x: Array, training: bool = False, activate: bool = True) -> Array:
        kind = "y" if training else "p"
        fused = activate and isinstance(self.activation, activations.Relu)
        y = self.buffer(kind, (len(x), *self.geometry.out, self.filters))
        kept = self.path.forward(x, self.input_scale, self.W, self.b, y, fused, kind)
        used = None if fused else self._activate(y, activate)[1]
        if training:
            self._keep(x.shape, kept, y, used)
        return y

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        x_shape, kept, y, used = self._take_cache()
        dx = self.buffer("dx", x_shape) if need_dx else None  # (N, H, W, C)
        if used is None:  # the ReLU's derivative is taken on the way
            self.path.backward(kept, dy, y, self.W, self.dW, self.db, dx)
        else:
            dz = self._activation_gradient(used, y, dy)  # (N, OH, OW, F)
            self.path.backward(kept, dz, None, self.W, self.dW, self.db, dx)
        return dx

    def get_config(self) -> dict[str, Any]:
        own = {"filters": self.filters, "kernel_size": list(self.kernel_size), "strides": list(self.strides)}
        return {**super().get_config(), **own, "padding": self.padding, **_weight_config(self)}


class Activation(ActivatedLayer):
    """y = f(x), element by element (softmax: over the last axis)."""

    def build(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, x: Array, training: bool = False, activate: bool = True) -> Array:
        z = self.buffer("y" if training else "p", x.shape)
        z[...] = x
        y, used = self._activate(z, activate)
        if training:
            self._keep(y, used)
        return y

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        y, used = self._take_cache()
        return self._activation_gradient(used, y, dy) if need_dx else None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": self.activation.name}


class Flatten(Layer):
    """(N, ...) -> (N, D): the same numbers, one row an example."""

    def build(self, input_shape: Shape) -> Shape:
        return (math.prod(input_shape),)

    def forward(self, x: Array, training: bool = False) -> Array:
        if training:
            self._keep(x.shape)
        return x.reshape(len(x), -1)

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        (shape,) = self._take_cache()
        return dy.reshape(shape)


class Rescaling(Layer):
    """y = x * scale + offset; takes unsigned bytes as they come from a screen, so that frames stay uint8
    until here.

    In front of a Conv2D the model lets the convolution multiply by `scale` while it pads (see Network).
    """

    accepts_bytes = True

    def __init__(self, scale: float, offset: float = 0.0, **common: Any) -> None:
        super().__init__(**common)
        self.scale, self.offset = float(scale), float(offset)
        self.handed_over = False

    def build(self, input_shape: Shape) -> Shape:
        return input_shape

    def hand_over(self, following: Layer) -> None:
        """Leave the multiplication to a convolution that follows, which does it while it copies."""
        if isinstance(following, Conv2D) and self.offset == 0:
            following.input_scale, self.handed_over = self.scale, True

    def forward(self, x: Array, training: bool = False) -> Array:
        if training:
            self._keep()
        if self.handed_over:
            return x
        y = np.multiply(
            x,
            self.dtype.type(self.scale),
            out=self.buffer("y" if training else "p", x.shape),
            casting="unsafe",
        )
        if self.offset:
            y += self.dtype.type(self.offset)
        return y

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        self._take_cache()
        return (
            dy * dy.dtype.type(self.scale) if need_dx else None
        )  # the convolution's dx is that of the scaled image

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}


def _weight_config(layer: Dense | Conv2D) -> dict[str, Any]:
    """What Dense and Conv2D say alike of their activation and weights."""

    def penalty(identifier: Any) -> dict[str, Any] | None:
        found = regularizers.get(identifier)
        return None if found is None else found.get_config()

    return {
        "activation": layer.activation.name,
        "use_bias": layer.use_bias,
        "kernel_initializer": initializers.get(layer.initializers[0]).get_config(),
        "bias_initializer": initializers.get(layer.initializers[1]).get_config(),
        "kernel_regularizer": penalty(layer.regularizers[0]),
        "bias_regularizer": penalty(layer.regularizers[1]),
    }


REGISTRY: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (Dense, Conv2D, Activation, Flatten, Rescaling, BatchNormalization, Dropout, MaxPooling2D)
}


def __getattr__(name: str) -> Any:
    raise missing_name("nnlite.layers", name, REGISTRY)
