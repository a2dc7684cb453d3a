"""Dense: every output reads every input."""

from __future__ import annotations

from typing import Any

from nnlite import activations, products
from nnlite.arrays import Array
from nnlite.attributes import argument
from nnlite.layers.activated import KernelLayer
from nnlite.utils import positive
from nnlite.weights import Shape


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
        used, kept = (self.activation, y) if relu else self._activate(y, training, activate)
        if training:
            self._keep(x, kept, used)
        return y

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        x, kept, used = self._take_cache()
        x_rows = x.reshape(-1, x.shape[-1])  # (N, D)
        dz = self._activation_gradient(used, kept, dy).reshape(-1, self.units)  # (N, M)  dL/dz = dy f'(z)
        products.weight_gradients(x_rows, dz, self.dW, self.db)  # (D, M)  x.T dz, (M,)  sum of dz over N
        if not need_dx:
            return None
        dx = self.buffer("dx", x.shape)
        products.input_gradient(dz, self.W, dx.reshape(x_rows.shape), self.buffer)  # (N, D)  dL/dx = dz W.T
        return dx

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}
