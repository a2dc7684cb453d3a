"""The nodes of an ONNX graph, layer by layer; onnx_export writes the file.

ONNX convolves channels first, so convolutions and poolings stand between two transpositions.
"""

from __future__ import annotations

import math
from functools import singledispatchmethod
from typing import Any

import numpy as np

from nnlite.activations import Activation as Function
from nnlite.activations import LeakyRelu
from nnlite.convolution import Geometry
from nnlite.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Layer,
    LayerNormalization,
    LeakyReLU,
    MaxPooling2D,
    Rescaling,
    Reshape,
    Residual,
    ZeroPadding2D,
)

FIRST, LAST = [0, 3, 1, 2], [0, 2, 3, 1]  # NHWC -> NCHW, and back
OPERATORS = {
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "softplus": "Softplus",
    "softmax": "Softmax",
    "elu": "Elu",
}


class Graph:
    """The nodes and weights so far. `end` is the name of the last node's output, in nnlite's layout."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.end = "input"
        self.kept: set[str] = set()  # outputs that a later node reads too
        self.path = ""  # of the layer that holds the next ones

    def node(self, operator: str, *inputs: str, **attributes: Any) -> None:
        """Append a node that reads `end` and these constants; its output is the new `end`."""
        from onnx import helper

        output = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(operator, [self.end, *inputs], [output], name=output, **attributes)
        )
        self.end = output

    def constant(self, name: str, value: Any, dtype: Any = np.float32) -> str:
        """Add an array; return its name in the file."""
        from onnx import numpy_helper

        name = self.path + name
        self.weights.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def finish(self) -> list[Any]:
        """Name the last node's output `output`; return all nodes."""
        if not self.nodes:
            self.node("Identity")
        self.nodes[-1].output[0] = "output"
        return self.nodes

    @singledispatchmethod
    def append(self, layer: Layer) -> None:
        """Append the nodes of this layer in prediction mode."""
        raise TypeError(f"{layer.name}: a {type(layer).__name__} cannot be written as ONNX")

    @append.register
    def _(self, layer: Dense) -> None:
        self.node("MatMul", self.constant(f"{layer.name}/kernel", layer.W))
        if layer.b is not None:
            self.node("Add", self.constant(f"{layer.name}/bias", layer.b))
        self.function(layer.activation, axis=-1)

    @append.register
    def _(self, layer: Conv2D) -> None:
        weights = [self.constant(f"{layer.name}/kernel", layer.W.transpose(3, 2, 0, 1))]  # (F, C, KH, KW)
        if layer.b is not None:
            weights.append(self.constant(f"{layer.name}/bias", layer.b))
        self.channels_first()
        self.node("Conv", *weights, **window(layer.geometry))
        self.function(layer.activation, axis=1)
        self.node("Transpose", perm=LAST)

    @append.register
    def _(self, layer: MaxPooling2D) -> None:
        self.channels_first()
        self.node("MaxPool", **window(layer.geometry))
        self.node("Transpose", perm=LAST)

    @append.register
    def _(self, layer: AveragePooling2D) -> None:
        self.channels_first()
        self.node("AveragePool", **window(layer.geometry), count_include_pad=0)
        self.node("Transpose", perm=LAST)

    @append.register
    def _(self, layer: GlobalAveragePooling2D) -> None:
        self.node("ReduceMean", axes=[1, 2], keepdims=int(layer.keepdims))

    @append.register
    def _(self, layer: LayerNormalization) -> None:
        over = {"axes": list(layer.axes), "keepdims": 1}
        x = self.end
        self.node("ReduceMean", **over)
        mean, self.end = self.end, x
        self.node("Sub", mean)
        centred = self.end
        self.node("Mul", centred)
        self.node("ReduceMean", **over)
        self.node("Add", self.constant(f"{layer.name}/epsilon", layer.epsilon))
        self.node("Sqrt")
        deviation, self.end = self.end, centred
        self.node("Div", deviation)
        ndim = len(layer.output_shape or ()) + 1
        for operator, weight in (("Mul", layer.gamma), ("Add", layer.beta)):
            if weight is not None:
                name = f"{layer.name}/{weight.name}"
                self.node(operator, self.constant(name, layer.along(weight.value, ndim)))

    @append.register
    def _(self, layer: Residual) -> None:
        x, path = self.end, self.path
        self.kept.add(x)
        self.path = f"{path}{layer.name}/"
        for inner in layer.layers:
            self.append(inner)
        self.path = path
        self.node("Add", x)

    @append.register
    def _(self, layer: LeakyReLU) -> None:
        self.node("LeakyRelu", alpha=layer.negative_slope)

    @append.register
    def _(self, layer: Reshape) -> None:
        shape = [0, *(layer.output_shape or ())]  # 0: the size that it has, N
        self.node("Reshape", self.constant(f"{layer.name}/shape", shape, np.int64))

    @append.register
    def _(self, layer: ZeroPadding2D) -> None:
        (top, bottom), (left, right) = layer.padding
        ends = [0, top, left, 0, 0, bottom, right, 0]
        self.node("Pad", self.constant(f"{layer.name}/pads", ends, np.int64))

    @append.register
    def _(self, layer: BatchNormalization) -> None:
        deviation = np.sqrt(layer.moving_variance.value + layer.dtype.type(layer.epsilon))
        self.node("Sub", self.constant(f"{layer.name}/moving_mean", layer.moving_mean.value))
        self.node("Mul", self.constant(f"{layer.name}/inverse_deviation", 1 / deviation))
        if layer.gamma is not None:
            self.node("Mul", self.constant(f"{layer.name}/gamma", layer.gamma.value))
        if layer.beta is not None:
            self.node("Add", self.constant(f"{layer.name}/beta", layer.beta.value))

    @append.register
    def _(self, layer: Rescaling) -> None:
        from onnx import TensorProto

        if self.end == "input":
            self.node("Cast", to=TensorProto.FLOAT)
        self.node("Mul", self.constant(f"{layer.name}/scale", layer.scale))
        if layer.offset:
            self.node("Add", self.constant(f"{layer.name}/offset", layer.offset))

    @append.register
    def _(self, layer: Activation) -> None:
        self.function(layer.activation, axis=-1)

    @append.register
    def _(self, layer: Flatten) -> None:
        self.node("Flatten", axis=1)

    @append.register
    def _(self, layer: Dropout) -> None:
        pass

    def function(self, function: Function, axis: int) -> None:
        """Append an activation function; softmax runs along this axis, which holds the channels."""
        z = self.end
        if function.name == "softmax":
            self.node("Softmax", axis=axis)
        elif function.name == "leaky_relu":
            self.node("LeakyRelu", alpha=LeakyRelu.negative_slope)
        elif function.name == "silu":
            self.node("Sigmoid")
            self.node("Mul", z)
        elif function.name == "gelu":  # an operator of its own only from opset 20 on
            name = f"gelu_{len(self.nodes)}"
            self.node("Mul", self.constant(f"{name}/factor", math.sqrt(0.5)))
            self.node("Erf")
            self.node("Add", self.constant(f"{name}/one", 1))
            self.node("Mul", z)
            self.node("Mul", self.constant(f"{name}/half", 0.5))
        elif function.name != "linear":
            self.node(OPERATORS[function.name])

    def channels_first(self) -> None:
        """Transpose NHWC to NCHW; directly after the opposite transposition, remove that instead."""
        if self.nodes and self.nodes[-1].op_type == "Transpose" and self.end not in self.kept:
            self.end = self.nodes.pop().input[0]
        else:
            self.node("Transpose", perm=FIRST)


def window(geometry: Geometry) -> dict[str, list[int]]:
    """Return the ONNX attributes of a convolution or pooling."""
    g = geometry
    return {
        "kernel_shape": list(g.kernel),
        "strides": list(g.strides),
        "pads": [g.top, g.left, g.bottom, g.right],
    }
