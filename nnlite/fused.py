"""The compiled passes for small dense networks: which networks get them.

On a network as small as CartPole's, Python and NumPy cost fifty times the arithmetic. A chain of Dense layers (with
Flatten before and Activation anywhere) that is small enough therefore runs in nnlite_ext._dense, one call per pass, on
the same flat arrays. Everything else, and every input that would have to be converted first, goes layer by layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnlite_ext import _dense

from nnlite import activations
from nnlite.layer import Layer
from nnlite.layers import Activation, Dense, Flatten

if TYPE_CHECKING:
    from nnlite.network import Network

Step = tuple[int, int, int, int, str]

# Measured against the layers on one BLAS thread, forward and backward together: 450 weights 19 times as fast at 32 rows and
# 5 times at 1024; 102,000 weights 1.9 and 1.1 times; from 400,000 on BLAS, which works in blocks of the cache, is ahead.
MOST_WEIGHTS = 1 << 17
MOST_ROWS = 1024


def fused_passes(model: Network) -> _dense.DenseNet | None:
    """The compiled passes of a built model, or None when it is no chain of dense layers, or too large for them."""
    steps = dense_steps(model)
    if steps is None or len(steps) > _dense.MOST_LAYERS or model.params.size > MOST_WEIGHTS:
        return None
    return _dense.DenseNet(model.params, model.grads, steps, model.input_shape, MOST_ROWS)


def dense_steps(model: Network) -> list[Step] | None:
    """(inputs, outputs, where the kernel begins in params, where the bias does, activation) of each layer; -1 is none.

    An Activation after a linear Dense layer becomes the activation of that layer. None when there is any other layer, or no Dense.
    """
    steps: list[Step] = []
    place = 0
    for layer in model.layers:
        if type(layer) is Flatten and not steps:
            continue
        used = getattr(layer, "activation", None)
        if type(used) not in activations.REGISTRY.values():
            return None
        if type(layer) is Dense:
            inputs, outputs = layer.kernel.shape
            bias = place + inputs * outputs if layer.use_bias else -1
            steps.append((inputs, outputs, place, bias, used.name))
            place += sum(weight.size for weight in layer.weights)
        elif type(layer) is Activation and steps:
            *before, last = steps[-1]
            if last == "linear":
                steps[-1] = (*before, used.name)  # type: ignore[assignment]
            else:
                steps.append((steps[-1][1], steps[-1][1], -1, -1, used.name))
        else:
            return None
    return steps if _rows_are_flat(model) and steps and place == model.params.size else None


def _rows_are_flat(model: Network) -> bool:
    """Every Dense layer reads (N, D): with further axes it would work on more rows than N."""
    shape: tuple[int, ...] = model.input_shape
    layers: list[Layer] = model.layers
    for layer in layers:
        if type(layer) is not Flatten and len(shape) != 1:
            return False
        shape = layer.output_shape or ()
    return True
