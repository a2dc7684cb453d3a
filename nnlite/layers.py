"""The layers. N is the batch, D and M features, H W C an image, F filters, K a kernel side.

Each class states its equation. Each line of a backward pass states the derivative it computes and its shape.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnlite import activations, products
from nnlite.activated import ActivatedLayer, KernelLayer
from nnlite.arrays import Array
from nnlite.attributes import argument
from nnlite.convolution import PATHS, DirectConvolution, Geometry, PatchConvolution, default_path
from nnlite.layer import Layer
from nnlite.normalization import BatchNormalization, Dropout
from nnlite.pooling import MaxPooling2D
from nnlite.utils import missing_name, pair, positive, real
from nnlite.weights import Shape

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


class Dense(KernelLayer):
    """y = f(x @ W + b), with x (N, D), W (D, M), b (M,), y (N, M). Further axes before D count as rows."""

    units: int = argument()

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
        drawn, penalised = (kernel_initializer, bias_initializer), (kernel_regularizer, bias_regularizer)
        super().__init__(activation, use_bias, drawn, penalised, **common)
        self.units = positive(units, "units")

    def build(self, input_shape: Shape) -> Shape:
        self.add_weights((input_shape[-1], self.units))
        return (*input_shape[:-1], self.units)

    def forward(self, x: Array, training: bool = False, activate: bool = True) -> Array:
        y = self.buffer("y" if training else "p", (*x.shape[:-1], self.units))
        relu = activate and isinstance(self.activation, activations.Relu)
        x_rows, y_rows = x.reshape(-1, x.shape[-1]), y.reshape(-1, self.units)  # (N, D), (N, M)
        products.affine(x_rows, self.W, self.b, y_rows, relu)  # y = x W + b
        used = self.activation if relu else self._activate(y, activate)
        if training:
            self._keep(x, y, used)
        return y

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        x, y, used = self._take_cache()
        x_rows = x.reshape(-1, x.shape[-1])  # (N, D)
        dz = self._activation_gradient(used, y, dy).reshape(-1, self.units)  # (N, M)  dL/dz = dy f'(z)
        products.weight_gradients(x_rows, dz, self.dW, self.db)  # (D, M)  x.T dz, (M,)  sum of dz over N
        if not need_dx:
            return None
        dx = self.buffer("dx", x.shape)
        products.input_gradient(dz, self.W, dx.reshape(x_rows.shape), self.buffer)  # (N, D)  dL/dx = dz W.T
        return dx

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


class Conv2D(KernelLayer):
    """y[n, oy, ox, :] = f(b + sum over ky, kx, c of x[n, oy*S + ky - P, ox*S + kx - P, c] W[ky, kx, c, :]).

    x (N, H, W, C), W (KH, KW, C, F), b (F,), y (N, OH, OW, F), as in Keras. Outside the image x is 0.
    """

    filters: int = argument()
    kernel_size: tuple[int, int] = argument()
    strides: tuple[int, int] = argument()
    padding: str = argument()
    geometry: Geometry
    input_scale: float  # see Rescaling
    path: DirectConvolution | PatchConvolution

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
        drawn, penalised = (kernel_initializer, bias_initializer), (kernel_regularizer, bias_regularizer)
        super().__init__(activation, use_bias, drawn, penalised, **common)
        self.filters, self.padding = positive(filters, "filters"), padding
        self.kernel_size, self.strides = pair(kernel_size, "kernel_size"), pair(strides, "strides")
        self.input_scale = 1.0

    def build(self, input_shape: Shape) -> Shape:
        self.geometry = Geometry.of(input_shape, self.kernel_size, self.strides, self.padding, self.name)
        self.add_weights((*self.kernel_size, input_shape[-1], self.filters))
        return (*self.geometry.out, self.filters)

    def bound(self) -> None:
        super().bound()
        self.path = PATHS[default_path()](self.geometry, self.filters, self.buffer)

    def forward(self, x: Array, training: bool = False, activate: bool = True) -> Array:
        kind = "y" if training else "p"
        relu = activate and isinstance(self.activation, activations.Relu)
        y = self.buffer(kind, (len(x), *self.geometry.out, self.filters))  # (N, OH, OW, F)
        kept = self.path.forward(x, self.input_scale, self.W, self.b, y, relu, kind)
        used = None if relu else self._activate(y, activate)
        if training:
            self._keep(x.shape, kept, y, used)
        return y

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        x_shape, kept, y, used = self._take_cache()
        dx = self.buffer("dx", x_shape) if need_dx else None  # (N, H, W, C)
        if used is None:
            # the path multiplies by the ReLU's derivative while it reads dy
            self.path.backward(kept, dy, y, self.W, self.dW, self.db, dx)
        else:
            dz = self._activation_gradient(used, y, dy)  # (N, OH, OW, F)  dL/dz = dy f'(z)
            self.path.backward(kept, dz, None, self.W, self.dW, self.db, dx)
        return dx

    def get_config(self) -> dict[str, Any]:
        own = {"filters": self.filters, "kernel_size": list(self.kernel_size), "strides": list(self.strides)}
        return {**super().get_config(), **own, "padding": self.padding}


class Activation(ActivatedLayer):
    """y = f(x), element by element (softmax: over the last axis)."""

    def build(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, x: Array, training: bool = False, activate: bool = True) -> Array:
        y = self.buffer("y" if training else "p", x.shape)
        y[...] = x
        used = self._activate(y, activate)
        if training:
            self._keep(y, used)
        return y

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        y, used = self._take_cache()
        return self._activation_gradient(used, y, dy) if need_dx else None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


class Flatten(Layer):
    """(N, ...) -> (N, D): the same numbers, one row for each example."""

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
    """y = x * scale + offset. x may be uint8, as screens are: then frames stay bytes up to this layer.

    A Conv2D that follows multiplies by `scale` itself, while it pads, and this layer returns x as it is.
    """

    accepts_bytes = True
    scale: float = argument()
    offset: float = argument()
    handed_over: bool

    def __init__(self, scale: float, offset: float = 0.0, **common: Any) -> None:
        super().__init__(**common)
        self.scale, self.offset = real(scale, "scale"), real(offset, "offset")
        self.handed_over = False

    def build(self, input_shape: Shape) -> Shape:
        return input_shape

    def hand_over(self, following: Layer) -> None:
        """Leave the multiplication to the following layer if it is a convolution and there is no offset."""
        if isinstance(following, Conv2D) and self.offset == 0:
            following.input_scale, self.handed_over = self.scale, True

    def forward(self, x: Array, training: bool = False) -> Array:
        if training:
            self._keep()
        if self.handed_over:
            return x
        y = self.buffer("y" if training else "p", x.shape)
        np.multiply(x, self.dtype.type(self.scale), out=y, casting="unsafe")
        if self.offset:
            y += self.dtype.type(self.offset)
        return y

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        self._take_cache()
        # also after handing over: the convolution's dx is that of the scaled image
        return dy * dy.dtype.type(self.scale) if need_dx else None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}


REGISTRY: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (Dense, Conv2D, Activation, Flatten, Rescaling, BatchNormalization, Dropout, MaxPooling2D)
}


def __getattr__(name: str) -> Any:
    raise missing_name("nnlite.layers", name, REGISTRY)
