"""Conv2D: one small kernel that moves over the image."""

from __future__ import annotations

from typing import Any

from nnlite import activations
from nnlite.arrays import Array
from nnlite.attributes import argument
from nnlite.convolution import PATHS, DirectConvolution, Geometry, PatchConvolution, default_path
from nnlite.layers.activated import KernelLayer
from nnlite.utils import pair, positive
from nnlite.weights import Shape


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
        read = self.path.forward(x, self.input_scale, self.W, self.b, y, relu, kind)
        used, kept = (None, y) if relu else self._activate(y, training, activate)
        if training:
            self._keep(x.shape, read, kept, used)
        return y

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        x_shape, read, kept, used = self._take_cache()
        dx = self.buffer("dx", x_shape) if need_dx else None  # (N, H, W, C)
        if used is None:
            # the path multiplies by the ReLU's derivative while it reads dy
            self.path.backward(read, dy, kept, self.W, self.dW, self.db, dx)
        else:
            dz = self._activation_gradient(used, kept, dy)  # (N, OH, OW, F)  dL/dz = dy f'(z)
            self.path.backward(read, dz, None, self.W, self.dW, self.db, dx)
        return dx

    def get_config(self) -> dict[str, Any]:
        own = {"filters": self.filters, "kernel_size": list(self.kernel_size), "strides": list(self.strides)}
        return {**super().get_config(), **own, "padding": self.padding}
