"""Which networks run in compiled passes, and the plan by which nnlite_ext._network computes them.

On a network as small as CartPole's, Python and NumPy cost fifty times the arithmetic. A small chain of Dense
layers therefore runs in nnlite_ext._network, one call per pass, on the same flat arrays. Convolutions of few
filters and Flatten may come before it, Activation after each Dense layer. Other networks run layer by layer.
"""

from __future__ import annotations

from typing import Any

from nnlite_ext import _network
from nnlite_ext._network import CompiledNetwork

from nnlite import activations
from nnlite.arrays import Array
from nnlite.layers import Activation, Conv2D, Dense, Flatten
from nnlite.layers.layer import Layer
from nnlite.passes import LayerPasses
from nnlite.weights import Shape

# Measured for forward and backward together, against the layers on one BLAS thread. 450 weights are 19 times
# as fast at 32 rows, 5 times at 1024; 102,000 weights 1.9 and 1.1 times. From 400,000 weights on BLAS is
# faster, because it works in blocks of the cache.
MOST_WEIGHTS = 1 << 17
MOST_ROWS = 1024
# On 8x8 images 3 filters are 25 times as fast at 32 rows, 17 times at one row; 8 filters 4 and 2 times. On
# larger images the vector lanes that one example leaves empty cost more than the calls: 16x16x8 is 0.2 times
# as fast at one row.
MOST_FILTERS = 8
MOST_FEATURES = 1024
COMPILED = tuple(activations.REGISTRY[name] for name in _network.ACTIVATIONS)


def compiled_network(passes: LayerPasses, params: Array, grads: Array) -> CompiledNetwork | None:
    """Compile the passes of built layers whose weights lie in `params` (P,) and gradients in `grads` (P,).

    Returns None if the network is too large, or has a layer without a compiled counterpart.
    """
    plan = Plan(passes.input_shape)
    small = params.size <= MOST_WEIGHTS
    if not small or not all(plan.take(layer) for layer in passes.layers) or plan.place != params.size:
        return None
    if len(plan.convs) > _network.MOST_CONVS or not 1 <= len(plan.dense) <= _network.MOST_LAYERS:
        return None
    return CompiledNetwork(params, grads, plan.convs, plan.dense, passes.input_shape, MOST_ROWS, passes)


class Plan:
    """The arguments of CompiledNetwork, collected layer by layer.

    convs    sizes, kernel, bias, activation of each convolution; see CompiledNetwork
    dense    (inputs, outputs, kernel, bias, activation) of each dense layer
    place    where the next weight begins in params
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape  # of the last layer's output
        self.convs: list[tuple[Any, ...]] = []
        self.dense: list[tuple[Any, ...]] = []
        self.place = 0

    def take(self, layer: Layer) -> bool:
        """Append a layer that reads the last one's output; False if it has no compiled counterpart."""
        name = activation_name(layer)
        # a Dense layer works on more rows than N if its input has further axes
        is_vector = len(self.shape) == 1
        if type(layer) is Flatten:
            pass
        elif type(layer) is Dense and is_vector and name is not None:
            self.dense.append((*layer.kernel.shape, *self._weights(layer), name))
        elif type(layer) is Activation and is_vector and name is not None and self.dense:
            self._activate(name)
        elif type(layer) is Conv2D and name not in (None, "softmax") and is_small(layer):
            self.convs.append((*sizes(layer), *self._weights(layer), name))
        else:
            return False
        self.shape = layer.output_shape or ()
        return True

    def _weights(self, layer: Dense | Conv2D) -> tuple[int, int]:
        """Return where the layer's kernel and bias begin in params; -1 without a bias."""
        kernel = self.place
        bias = kernel + layer.kernel.size if layer.use_bias else -1
        self.place += sum(weight.size for weight in layer.weights)
        return kernel, bias

    def _activate(self, name: str) -> None:
        """Give a linear last layer this activation; append a layer without weights to any other."""
        *before, last = self.dense[-1]
        width = self.dense[-1][1]
        if last == "linear":
            self.dense[-1] = (*before, name)
        else:
            self.dense.append((width, width, -1, -1, name))


def activation_name(layer: Layer) -> str | None:
    """Return the name of the layer's activation; None without one, or if no kernel computes it."""
    used: activations.Activation | None = getattr(layer, "activation", None)
    return used.name if used is not None and type(used) in COMPILED else None


def is_small(layer: Conv2D) -> bool:
    """Has it so few filters and pixels that the batch, not the filters, should lie along the vector lanes?"""
    g = layer.geometry
    features = g.height * g.width * g.channels + g.out[0] * g.out[1] * layer.filters
    return layer.filters <= MOST_FILTERS and features <= MOST_FEATURES


def sizes(layer: Conv2D) -> tuple[int, ...]:
    """Return (H, W, C, KH, KW, SY, SX, top, left, OH, OW, F) of a convolution."""
    g = layer.geometry
    return (g.height, g.width, g.channels, *g.kernel, *g.strides, g.top, g.left, *g.out, layer.filters)
