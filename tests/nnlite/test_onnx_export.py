"""Random networks, written as ONNX, compute the same in onnxruntime."""

import sys

import numpy as np
import pytest

from nnlite import Sequential, layers
from nnlite.onnx_export import save_onnx, to_onnx, worst_difference
from tests.crosschecks.networks import random_case

pytest.importorskip("onnx", reason="needs onnx: pip install -e '.[dev]'")
pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install -e '.[dev]'")
NETWORKS = 60


def test_random_networks_give_the_same(tmp_path):
    """All layers, activations, paddings, strides and biases that the networks are drawn from."""
    met = set()
    for number in range(NETWORKS):
        case = random_case(7, number, "float32")
        save_onnx(case.model, tmp_path / "model.onnx")
        worst, largest = worst_difference(case.model, tmp_path / "model.onnx", case.x[0])
        assert worst <= 1e-5 * max(1.0, largest), (number, worst, case.model.get_config())
        for layer in case.model.walk():
            geometry = getattr(layer, "geometry", None)
            met |= {type(layer).__name__, getattr(getattr(layer, "activation", None), "name", "")}
            if geometry and (geometry.top, geometry.left) != (geometry.bottom, geometry.right):
                met.add("asymmetric")
    activations = {"relu", "sigmoid", "tanh", "softplus", "softmax", "leaky_relu", "elu", "silu", "gelu"}
    assert met >= set(layers.REGISTRY) - {"Dropout"} | activations | {"asymmetric"}


def screen_model():
    convs = layers.Conv2D(4, 8, 4, "same", "relu"), layers.Conv2D(5, 3, 2, "same", "softmax")
    top = layers.MaxPooling2D(2), layers.Dropout(0.5), layers.Flatten(), layers.Dense(3)
    return Sequential([layers.Rescaling(1 / 255), *convs, *top], seed=0).build((22, 21, 4))


def test_rows_of_convolutions_are_transposed_once():
    operators = " ".join(node.op_type for node in to_onnx(screen_model()).graph.node)
    images = "Transpose Conv Relu Conv Softmax MaxPool Transpose"
    assert operators == f"Cast Mul {images} Flatten MatMul Add"


def test_what_the_file_says(tmp_path):
    proto = to_onnx(screen_model(), {"environment": "rl/Catcher-v0"})
    (reads,), (gives,) = proto.graph.input, proto.graph.output
    assert (reads.name, gives.name) == ("input", "output") and reads.type.tensor_type.elem_type == 2  # uint8
    assert [axis.dim_param or axis.dim_value for axis in reads.type.tensor_type.shape.dim] == ["N", 22, 21, 4]
    assert {prop.key: prop.value for prop in proto.metadata_props} == {"environment": "rl/Catcher-v0"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_are_float32_whatever_the_model_computes_in(tmp_path, dtype):
    model = Sequential([layers.Dense(2, activation="tanh", input_shape=(3,))], seed=0, dtype=dtype)
    save_onnx(model, tmp_path / "m.onnx")
    assert worst_difference(model, tmp_path / "m.onnx", np.eye(3))[0] < 1e-6


def test_a_network_that_changes_nothing(tmp_path):
    model = Sequential([layers.Dropout(0.5, input_shape=(3,))])
    save_onnx(model, tmp_path / "m.onnx")
    assert worst_difference(model, tmp_path / "m.onnx", np.eye(3)) == (0.0, 1.0)


def test_a_layer_of_somebody_else_is_refused():
    class Double(layers.Layer):
        def build(self, input_shape):
            return input_shape

        def forward(self, x, training=False):
            return 2 * x

    with pytest.raises(TypeError, match="a Double cannot be written as ONNX"):
        to_onnx(Sequential([Double(input_shape=(2,))]))


def test_nnlite_itself_does_without_onnx(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError):
        to_onnx(screen_model())
