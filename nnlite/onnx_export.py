"""Export models as ONNX files, to run them without Python or nnlite. Needs the package `onnx`.

    save_onnx(model, "model.onnx")

The graph reads and returns the arrays of `predict`: images are (N, H, W, C). Every number is a float32,
whatever the model's dtype; a model that begins with Rescaling reads uint8. Dropout is left out.
BatchNormalization uses its moving statistics, and is folded into the layer before it where that can be.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.arrays import Array
from nnlite.folding import fold_batch_normalization
from nnlite.layers import Rescaling
from nnlite.network import Network
from nnlite.onnx_graph import Graph
from nnlite.tensor_file import atomic_write

OPSET, IR_VERSION = 17, 8  # of 2022: every current runtime reads them


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
    for layer in fold_batch_normalization(model).layers:
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
