"""The passes of a network, layer by layer. A CompiledNetwork (nnlite_ext._network) runs each in one call.

Both have the same three methods:

    predict(x, batch_size, logits)   y (N, ...), a new array; a pending backward stays valid
    forward(x, logits)               y (N, ...), a buffer; a backward is pending until the next forward
    backward(dy, need_dx)            overwrite the network's `grads`, return dL/dx or None

`logits` leaves out the last layer's activation. Threads that share the passes take turns by their `lock`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from nnlite_ext import _network

from nnlite.arrays import Array
from nnlite.dataset import PyDataset, inputs, is_stream
from nnlite.layers.activated import ActivatedLayer
from nnlite.layers.layer import Layer
from nnlite.utils import numbers, positive
from nnlite.weights import Shape

PREDICT_BATCH: int = _network.PREDICT_BATCH
NO_FORWARD = "backward needs a forward of the same thread before it; one backward per forward"


def batches(x: object, batch_size: int) -> int | None:
    """Return the number of batches of x (N, ...), at least 1; None of a generator."""
    if is_stream(x):
        return len(x) if isinstance(x, PyDataset) else None
    examples = (numbers(x, "x").shape or (1,))[0]
    return max(1, -(-examples // positive(batch_size, "batch_size")))


def check_input(x: Array, input_shape: Shape) -> None:
    """Raise ValueError unless x is (N, *input_shape)."""
    if x.shape[1:] != input_shape or x.ndim != len(input_shape) + 1:
        raise ValueError(f"the model reads (N, {', '.join(map(str, input_shape))}), not {x.shape}")


class LayerPasses:
    """The passes of any network: each layer's own forward and backward, one after the other."""

    def __init__(
        self, layers: list[Layer], input_shape: Shape, dtype: np.dtype[np.floating], lock: Any
    ) -> None:
        self.layers, self.input_shape, self.dtype, self.lock = layers, input_shape, dtype, lock
        self.pending: Shape | None = None  # the shape of the last forward's y, until its backward
        self.owner = 0  # the thread of that forward
        trained = (i for i, layer in enumerate(layers) if layer.trainable_weights)
        self.lowest = next(trained, 0)

    def predict(self, x: object, batch_size: int = PREDICT_BATCH, logits: bool = False) -> Array:
        """Return y (N, ...) for x (N, ...), `batch_size` examples at a time."""
        return self.in_batches(self.predict_batch, x, batch_size, logits)

    def in_batches(
        self, predict: Callable[[Array, bool], Array], x: object, batch_size: int, logits: bool
    ) -> Array:
        """Call predict(batch, logits) for every `batch_size` examples of x (N, ...); return all results.

        x may be a PyDataset or a generator of batches too.
        """
        if is_stream(x):
            parts = [self.in_batches(predict, batch, batch_size, logits) for batch in inputs(x)]
            return np.concatenate(parts or [np.empty((0, *(self.layers[-1].output_shape or ())), self.dtype)])
        x, step = self.read(x), positive(batch_size, "batch_size")
        y = np.empty((len(x), *(self.layers[-1].output_shape or ())), self.dtype)
        for start in range(0, len(x), step):
            with self.lock:
                y[start : start + step] = predict(x[start : start + step], logits)
        return y

    def predict_batch(self, x: Array, logits: bool) -> Array:
        """Return y (N, ...) for an x that `read` returned; a buffer of the last layer."""
        return self.run(x, False, logits)

    def forward(self, x: object, logits: bool = False) -> Array:
        """Return y (N, ...) for x (N, ...); the layers keep what backward needs."""
        with self.lock:
            self.pending = None
            x = self.read(x)
            if len(x) == 0:
                raise ValueError("a training pass needs at least one example")
            y = self.run(x, True, logits)
            self.pending, self.owner = y.shape, threading.get_ident()
        return y

    def backward(self, dy: object, need_dx: bool = False) -> Array | None:
        """Overwrite every weight's gradient from dL/dy (N, ...); return dL/dx (N, ...) if need_dx.

        Raises RuntimeError unless a backward of this thread is pending, ValueError if dy is not of y's shape.
        """
        with self.lock:
            if self.pending is None or self.owner != threading.get_ident():
                raise RuntimeError(NO_FORWARD)
            gradient = self.read_gradient(dy, self.pending)
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
        check_input(array, self.input_shape)
        if array.dtype == np.uint8 and getattr(self.layers[0], "accepts_bytes", False):
            return np.ascontiguousarray(array)
        return np.ascontiguousarray(array, self.dtype)

    def read_gradient(self, dy: object, shape: Shape) -> Array:
        """Return dL/dy as a contiguous array of the network's dtype.

        Raises ValueError if it is not of `shape`, the last forward's.
        """
        gradient = numbers(dy, "dy")
        if gradient.shape != shape:
            raise ValueError(f"dy {gradient.shape} does not fit the output {shape} of the last forward")
        return np.ascontiguousarray(gradient, self.dtype)
