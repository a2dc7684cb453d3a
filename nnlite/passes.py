"""The passes of a network: layer by layer, or in one compiled call each.

Both kinds have the same three methods:

    predict(x, batch_size, logits)   y (N, ...), a new array; a pending backward stays valid
    forward(x, logits)               y (N, ...), a buffer; a backward is pending until the next forward
    backward(dy, need_dx)            overwrite the network's `grads`, return dL/dx or None

`logits` leaves out the last layer's activation.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from nnlite_ext._network import CompiledNetwork

from nnlite.arrays import Array
from nnlite.layer import ActivatedLayer, Layer, Shape
from nnlite.utils import numbers, positive

PREDICT_BATCH = 256


class LayerPasses:
    """The passes of any network: each layer's own forward and backward, one after the other."""

    def __init__(self, layers: list[Layer], input_shape: Shape, dtype: np.dtype[np.floating]) -> None:
        self.layers, self.input_shape, self.dtype = layers, input_shape, dtype
        self.pending: Shape | None = None  # the shape of the last forward's y, until its backward
        trained = (i for i, layer in enumerate(layers) if any(w.trainable for w in layer.weights))
        self.lowest = next(trained, 0)

    def predict(self, x: object, batch_size: int = PREDICT_BATCH, logits: bool = False) -> Array:
        """Return y (N, ...) for x (N, ...), `batch_size` examples at a time."""
        return self.in_batches(lambda batch: self.run(batch, False, logits), x, batch_size)

    def in_batches(self, predict: Callable[[Array], Array], x: object, batch_size: int) -> Array:
        """Call predict(batch) for every `batch_size` examples of x (N, ...); return all results."""
        x, step = self.read(x), positive(batch_size, "batch_size")
        y = np.empty((len(x), *(self.layers[-1].output_shape or ())), self.dtype)
        for start in range(0, len(x), step):
            y[start : start + step] = predict(x[start : start + step])
        return y

    def forward(self, x: object, logits: bool = False) -> Array:
        """Return y (N, ...) for x (N, ...); the layers keep what backward needs."""
        self.pending = None
        x = self.read(x)
        if len(x) == 0:
            raise ValueError("a training pass needs at least one example")
        y = self.run(x, True, logits)
        self.pending = y.shape
        return y

    def backward(self, dy: object, need_dx: bool = False) -> Array | None:
        """Overwrite every weight's gradient from dL/dy (N, ...); return dL/dx (N, ...) if need_dx.

        Raises RuntimeError unless a backward is pending, ValueError if dy is not of y's shape.
        """
        if self.pending is None:
            raise RuntimeError("backward needs a forward before it; one backward per forward")
        given = numbers(dy, "dy")
        if given.shape != self.pending:
            raise ValueError(f"dy {given.shape} does not fit the output {self.pending} of the last forward")
        gradient = np.ascontiguousarray(given, self.dtype)
        # below the lowest trained layer only dL/dx would be computed, the most expensive part
        lowest = 0 if need_dx else self.lowest
        for layer in reversed(self.layers[lowest + 1 :]):
            gradient = layer.backward(gradient)  # type: ignore[assignment]
        dx = self.layers[lowest].backward(gradient, need_dx)
        self.pending = None
        return dx if need_dx else None

    def run(self, x: Array, training: bool, logits: bool) -> Array:
        """Return y (N, ...) for an x that `read` returned; a buffer of the last layer."""
        for layer in self.layers[:-1]:
            x = layer.forward(x, training)
        last = self.layers[-1]
        if not logits:
            return last.forward(x, training)
        if not isinstance(last, ActivatedLayer):
            raise ValueError(f"{last.name} has no activation to leave out")
        return last.forward(x, training, activate=False)

    def read(self, x: object) -> Array:
        """Return x (N, ...) as a contiguous array of the network's dtype; bytes stay bytes for Rescaling.

        Raises ValueError if the shape does not fit.
        """
        array = numbers(x, "x")
        if array.shape[1:] != self.input_shape or array.ndim != len(self.input_shape) + 1:
            raise ValueError(
                f"the model reads (N, {', '.join(map(str, self.input_shape))}), not {array.shape}"
            )
        if array.dtype == np.uint8 and getattr(self.layers[0], "accepts_bytes", False):
            return np.ascontiguousarray(array)
        return np.ascontiguousarray(array, self.dtype)


class CompiledPasses:
    """The passes of a small network, each in one call of nnlite_ext._network.

    The compiled network takes contiguous arrays of its own dtype, up to plan.MOST_ROWS examples at once.
    Other arrays are converted first; larger batches go to the layers.
    """

    def __init__(self, network: CompiledNetwork, layers: LayerPasses) -> None:
        self.network, self.layers = network, layers

    def predict(self, x: object, batch_size: int = PREDICT_BATCH, logits: bool = False) -> Array:
        """As LayerPasses.predict; with the default batch size, all examples at once where possible."""
        if batch_size == PREDICT_BATCH and (y := self.network.predict(x, logits)) is not None:
            return y
        return self._predict_in_batches(x, batch_size, logits)

    def _predict_in_batches(self, x: object, batch_size: int, logits: bool) -> Array:
        def predict(batch: Array) -> Array:
            y = self.network.predict(batch, logits)
            return self.layers.run(batch, False, logits) if y is None else y

        return self.layers.in_batches(predict, x, batch_size)

    def forward(self, x: object, logits: bool = False) -> Array:
        """As LayerPasses.forward."""
        self.layers.pending = None
        y = self.network.forward(x, logits)
        if y is None:  # it has also dropped its pending backward
            x = self.layers.read(x)
            y = self.network.forward(x, logits)
        return self.layers.forward(x, logits) if y is None else y

    def backward(self, dy: object, need_dx: bool = False) -> Array | None:
        """As LayerPasses.backward, by the passes that ran the last forward."""
        dx = self.network.backward(dy, need_dx)
        return self.layers.backward(dy, need_dx) if dx is False else dx
