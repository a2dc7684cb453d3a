"""The compiled passes for small networks: which networks get them.

On a network as small as CartPole's, Python and NumPy cost fifty times the arithmetic. A chain of Dense layers
(with Flatten before and Activation anywhere) that is small enough therefore runs in nnlite_ext._network, one
call per pass, on the same flat arrays; so do convolutions of few filters before it. Everything else, and
every input that would have to be converted first, goes layer by layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnlite_ext import _network

from nnlite import activations
from nnlite.layer import Layer
from nnlite.layers import Activation, Conv2D, Dense, Flatten

if TYPE_CHECKING:
    from nnlite.network import Network

# Measured against the layers on one BLAS thread, forward and backward together: 450 weights 19 times as fast
# at 32 rows and 5 times at 1024; 102,000 weights 1.9 and 1.1 times; from 400,000 on BLAS, which works in
# blocks of the cache, is ahead.
MOST_WEIGHTS = 1 << 17
MOST_ROWS = 1024
# 8x8 images, forward and backward: 3 filters 25 times as fast at 32 rows and 17 times at one, 8 filters 4 and
# 2 times. On larger images the lanes that one state leaves empty cost more than the calls do: 16x16x8 is 0.2
# times as fast at one row.
MOST_FILTERS = 8
MOST_FEATURES = 1024


def fused_passes(model: Network) -> _network.CompiledNetwork | None:
    """The compiled passes of a built model, or None where the layers do it themselves."""
    if model.params.size > MOST_WEIGHTS:
        return None
    plan = Plan(model.input_shape)
    if not all(plan.take(layer) for layer in model.layers) or not plan.dense:
        return None
    if (
        len(plan.convs) > _network.MOST_CONVS
        or len(plan.dense) > _network.MOST_LAYERS
        or plan.place != model.params.size
    ):
        return None
    return _network.CompiledNetwork(
        model.params, model.grads, plan.convs, plan.dense, model.input_shape, MOST_ROWS
    )


class Plan:
    """The arguments of a CompiledNetwork, gathered layer by layer; take() is False for a layer it cannot do.

    convs    sizes, kernel, bias, activation of each convolution: see CompiledNetwork
    dense    (inputs, outputs, kernel, bias, activation) of each dense layer
    place    where the next weight begins in params
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.convs: list[tuple[Any, ...]] = []
        self.dense: list[tuple[Any, ...]] = []
        self.place = 0

    def take(self, layer: Layer) -> bool:
        """Add a layer, which reads what the one before it put out."""
        name = activation_name(layer)
        if type(layer) is Flatten:
            fits = not self.dense
        elif (
            type(layer) is Dense and len(self.shape) == 1
        ):  # with further axes it would work on more rows than N
            fits = name is not None
            self.dense.append((*layer.kernel.shape, *self._weights(layer), name))
        elif type(layer) is Conv2D and not self.dense and len(self.shape) == 3:
            fits = name not in (None, "softmax") and is_small(layer)
            g = layer.geometry
            sizes = (
                g.height,
                g.width,
                g.channels,
                *g.kernel,
                *g.strides,
                g.top,
                g.left,
                *g.out,
                layer.filters,
            )
            self.convs.append((*sizes, *self._weights(layer), name))
        elif type(layer) is Activation and len(self.shape) == 1 and self.dense:
            fits = name is not None
            self._activate(name)
        else:
            fits = False
        self.shape = layer.output_shape or ()
        return fits

    def _weights(self, layer: Dense | Conv2D) -> tuple[int, int]:
        """Where the kernel begins, and the bias; -1 without one."""
        kernel = self.place
        bias = kernel + layer.kernel.size if layer.use_bias else -1
        self.place += sum(weight.size for weight in layer.weights)
        return kernel, bias

    def _activate(self, name: str | None) -> None:
        """The activation of a linear layer is simply its own; else it is a layer without weights."""
        *before, last = self.dense[-1]
        width = self.dense[-1][1]
        if last == "linear":
            self.dense[-1] = (*before, name)
        else:
            self.dense.append((width, width, -1, -1, name))


def activation_name(layer: Layer) -> str | None:
    """The name of the layer's activation; None when there is none, or one that is not ours."""
    used = getattr(layer, "activation", None)
    return used.name if used is not None and type(used) in activations.REGISTRY.values() else None


def is_small(layer: Conv2D) -> bool:
    """Few enough filters and pixels that the batch, not the filters, should lie along the vectors."""
    g = layer.geometry
    features = g.height * g.width * g.channels + g.out[0] * g.out[1] * layer.filters
    return layer.filters <= MOST_FILTERS and features <= MOST_FEATURES and layer.input_scale == 1.0
