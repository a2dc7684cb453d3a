"""Export models as ONNX files, to run them without Python or nnlite. Needs the package `onnx`.

    save_onnx(model, "model.onnx")

The graph reads and returns the arrays of `predict`: images are (N, H, W, C). ONNX convolves channels first,
so convolutions and poolings stand between two transpositions. Every number is a float32, whatever the model's
dtype; a model that begins with Rescaling reads uint8. Dropout is left out, BatchNormalization uses its moving
statistics.
"""

from __future__ import annotations

from functools import singledispatchmethod
from typing import Any

import numpy as np

from nnlite.activations import Activation as Function
from nnlite.arrays import Array
from nnlite.convolution import Geometry
from nnlite.layers import Activation, Conv2D, Dense, Flatten, Rescaling
from nnlite.layers.dropout import Dropout
from nnlite.layers.layer import Layer
from nnlite.layers.normalization import BatchNormalization
from nnlite.layers.pooling import MaxPooling2D
from nnlite.network import Network
from nnlite.tensor_file import atomic_write

OPSET, IR_VERSION = 17, 8  # of 2022: every current runtime reads them
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
    """Return the model as an onnx.ModelProto that passes ONNX's checker.

    notes  metadata for the file: {"environment": "rl/Catcher-v0"}

    The graph reads `input` (N, *model.input_shape) and returns `output` (N, *model.output_shape). Raises
    ImportError without the package `onnx`, TypeError for a layer that is not one of nnlite's.
    """
    from onnx import TensorProto, checker, helper

    model.build()
    graph = Graph()
    for layer in model.layers:
        graph.append(layer)
    reads = TensorProto.UINT8 if isinstance(model.layers[0], Rescaling) else TensorProto.FLOAT
    proto = helper.make_model(
        helper.make_graph(
            graph.finish(),
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
    """The nodes and weights so far. `end` is the name of the last node's output, in nnlite's layout."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.end = "input"

    def node(self, operator: str, *inputs: str, **attributes: Any) -> None:
        """Append a node that reads `end` and these constants; its output is the new `end`."""
        from onnx import helper

        output = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(operator, [self.end, *inputs], [output], name=output, **attributes)
        )
        self.end = output

    def constant(self, name: str, value: Any) -> str:
        """Add an array as float32; return its name."""
        from onnx import numpy_helper

        self.weights.append(numpy_helper.from_array(np.array(value, np.float32), name))
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
        if function.name == "softmax":
            self.node("Softmax", axis=axis)
        elif function.name != "linear":
            self.node(OPERATORS[function.name])

    def channels_first(self) -> None:
        """Transpose NHWC to NCHW; directly after the opposite transposition, remove that instead."""
        if self.nodes and self.nodes[-1].op_type == "Transpose":
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


def worst_difference(model: Network, path: Any, x: Array) -> tuple[float, float]:
    """Run the file in onnxruntime on x (N, ...); return (worst |theirs - ours|, largest |ours|).

    x is cast to the dtype that the file reads. Raises ImportError without the package `onnxruntime`.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    reads = np.uint8 if "uint8" in session.get_inputs()[0].type else np.float32
    ours = model.predict(x)
    (theirs,) = session.run(None, {"input": np.ascontiguousarray(x, reads)})
    return float(np.max(np.abs(theirs - ours))), float(np.max(np.abs(ours)))
