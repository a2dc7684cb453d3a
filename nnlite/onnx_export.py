"""Models as ONNX files, to be run where neither Python nor nnlite is.

Needs the package `onnx`, imported only when used.

    save_onnx(model, "model.onnx")

The graph reads and gives what `predict` does: images stay (N, H, W, C). ONNX convolves channels first, so a
row of convolutions and poolings stands between two transpositions. Every number is a float32, whatever the
model's dtype; a model that begins with Rescaling reads uint8. Dropout is left out, BatchNormalization uses
its moving statistics.
"""

from __future__ import annotations

from functools import singledispatchmethod
from typing import Any

import numpy as np

from nnlite.activations import Activation as Function
from nnlite.arrays import Array
from nnlite.convolution import Geometry
from nnlite.layer import Layer
from nnlite.layers import Activation, Conv2D, Dense, Flatten, Rescaling
from nnlite.network import Network
from nnlite.normalization import BatchNormalization, Dropout
from nnlite.pooling import MaxPooling2D
from nnlite.tensor_file import atomic_write

OPSET, IR_VERSION = 17, 8  # of 2022: what runs models reads them
FIRST, LAST = [0, 3, 1, 2], [0, 2, 3, 1]  # NHWC -> NCHW, and back
OPERATORS = {
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "softplus": "Softplus",
    "softmax": "Softmax",
}


def save_onnx(model: Network, path: Any, notes: dict[str, str] | None = None) -> None:
    """Write the model as an ONNX file; see to_onnx."""
    atomic_write(path, to_onnx(model, notes).SerializeToString())


def to_onnx(model: Network, notes: dict[str, str] | None = None) -> Any:
    """The model as an onnx.ModelProto that passes ONNX's own checker.

    notes  what the file says of itself: {"environment": "rl/Catcher-v0"}

    The graph has one input, `input` (N, *model.input_shape), and one output, `output` (N,
    *model.output_shape). Raises ImportError without the package `onnx`, TypeError for a layer that is not one
    of nnlite's own.
    """
    from onnx import TensorProto, checker, helper

    model.build()
    graph = Graph()
    for layer in model.layers:
        graph.append(layer)
    reads = TensorProto.UINT8 if isinstance(model.layers[0], Rescaling) else TensorProto.FLOAT
    proto = helper.make_model(
        helper.make_graph(
            graph.finished(),
            model.name,
            [helper.make_tensor_value_info("input", reads, ["N", *model.input_shape])],
            [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["N", *model.output_shape])],
            graph.weights,
        ),
        producer_name="nnlite",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    helper.set_model_props(proto, notes or {})
    checker.check_model(proto, full_check=True)
    return proto


class Graph:
    """The nodes so far. `end` is the name of what the last of them gives, in nnlite's own layout."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.end = "input"

    def node(self, operator: str, *inputs: str, **attributes: Any) -> None:
        """Append a node that reads `end` and these constants, and become its output."""
        from onnx import helper

        output = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(operator, [self.end, *inputs], [output], name=output, **attributes)
        )
        self.end = output

    def constant(self, name: str, value: Any) -> str:
        """Keep an array as float32; returns its name."""
        from onnx import numpy_helper

        self.weights.append(numpy_helper.from_array(np.array(value, np.float32), name))
        return name

    def finished(self) -> list[Any]:
        """The nodes, the last of which gives `output`."""
        if not self.nodes:
            self.node("Identity")
        self.nodes[-1].output[0] = "output"
        return self.nodes

    @singledispatchmethod
    def append(self, layer: Layer) -> None:
        """Append what this layer does in prediction mode."""
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
        """An activation function; softmax runs along the channels, which lie on this axis."""
        if function.name == "softmax":
            self.node("Softmax", axis=axis)
        elif function.name != "linear":
            self.node(OPERATORS[function.name])

    def channels_first(self) -> None:
        """NHWC -> NCHW; right behind the way back, neither is needed."""
        if self.nodes and self.nodes[-1].op_type == "Transpose":
            self.end = self.nodes.pop().input[0]
        else:
            self.node("Transpose", perm=FIRST)


def window(geometry: Geometry) -> dict[str, list[int]]:
    """The attributes of a convolution or a pooling."""
    g = geometry
    return {
        "kernel_shape": list(g.kernel),
        "strides": list(g.strides),
        "pads": [g.top, g.left, g.bottom, g.right],
    }


def worst_difference(model: Network, path: Any, x: Array) -> tuple[float, float]:
    """Run the file in onnxruntime on x (N, ...): (worst |theirs - ours|, largest |ours|).

    x is cast to what the file reads. Raises ImportError without the package `onnxruntime`.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    reads = np.uint8 if "uint8" in session.get_inputs()[0].type else np.float32
    ours = model.predict(x)
    (theirs,) = session.run(None, {"input": np.ascontiguousarray(x, reads)})
    return float(np.max(np.abs(theirs - ours))), float(np.max(np.abs(ours)))
