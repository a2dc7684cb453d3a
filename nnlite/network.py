"""Network: layers in a row on three flat arrays.

`models.Sequential` adds Keras's words for training and keeping.

    params   every trainable weight, one after the other      grads   their gradients, in the same places
    state    what is carried but not trained (BatchNormalization's moving statistics)

They are allocated once, when the model is built, and never rebound: layers hold views of them, an optimizer
changes `params` in one pass, `copy_from` is a memcpy. The arrays of a forward or backward pass belong to the
layers, one set per batch size in use, so that a training step allocates nothing after the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn, TypeVar

import numpy as np

from nnlite.arrays import Array
from nnlite.fused import fused_passes
from nnlite.layer import Layer, Shape, Weight, as_shape
from nnlite.layers import ActivatedLayer, Rescaling
from nnlite.utils import aligned_zeros, numbers, positive

PREDICT_BATCH = 256
Model = TypeVar("Model", bound="Network")


class Network:
    """A model whose layers run one after the other: building, the three passes, the weights."""

    def __init__(
        self,
        layers: Iterable[Layer] | None = None,
        name: str = "sequential",
        seed: Any = None,
        dtype: Any = "float32",
    ) -> None:
        self.name, self.dtype = name, np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype must be float32 or float64, not {self.dtype}")
        self.layers: list[Layer] = []
        self._rng = np.random.default_rng(seed)
        self._built = False
        self._pending: Shape | None = None  # the shape that backward's dy must have
        self._fused: Any = (
            None  # the compiled passes of a small dense network; they answer None, or False, where
        )
        # the layers have to do it
        for layer in layers or ():
            self.add(layer)

    # --- building
    # ----------------------------------------------------------------------------------------------

    def add(self, layer: Layer) -> None:
        """Append a layer; raises RuntimeError once the model is built, for its arrays never move."""
        if not isinstance(layer, Layer):
            raise TypeError(f"add needs a layer, not {type(layer).__name__}")
        if self._built:
            raise RuntimeError(
                "a built model takes no more layers: its arrays never move; make a new Sequential"
            )
        if layer.model is not None:
            raise ValueError(f"{layer.name} already belongs to a model; every layer stands in one place")
        layer.model = self
        names = {other.name for other in self.layers}
        stem, count = layer.name, 1
        while layer.name in names:
            layer.name, count = f"{stem}_{count}", count + 1
        self.layers.append(layer)

    def build(self: Model, input_shape: Any = None) -> Model:
        """Allocate and draw the weights for inputs of this shape (without the batch axis). Returns itself.

        Raises ValueError when the shape is unknown, does not fit the layers, or is not the one the model was
        built for.
        """
        if self._built:
            if input_shape is not None and as_shape(input_shape) != self.input_shape:
                raise ValueError(
                    f"the model was built for inputs {self.input_shape}, not {tuple(input_shape)}"
                )
            return self
        if not self.layers:
            raise ValueError("a model needs at least one layer")
        shape = input_shape if input_shape is not None else self.layers[0].input_shape
        if shape is None:
            raise ValueError(
                "the input's shape is unknown: give the first layer input_shape=, or call build(shape)"
            )
        self.input_shape: Shape = as_shape(shape)
        declared = self.layers[0].input_shape
        if declared is not None and declared != self.input_shape:
            raise ValueError(
                f"the first layer declares input_shape {declared}, but the data is {self.input_shape}"
            )
        self._declare()
        self._allocate()
        self._draw()
        self._built = True
        self._fused = fused_passes(self)
        return self

    def _declare(self) -> None:
        shape = self.input_shape
        for layer in self.layers:
            layer.dtype = self.dtype
            layer.weights = []
            shape = layer.output_shape = layer.build(shape)
        self.output_shape = shape

    def _allocate(self) -> None:
        trainable = [w for layer in self.layers for w in layer.weights if w.trainable]
        carried = [w for layer in self.layers for w in layer.weights if not w.trainable]
        self.params, self.variables = _flat(trainable, self.dtype)
        self.grads = aligned_zeros(self.params.shape, self.dtype)
        self.state, places = _flat(carried, self.dtype)
        for weight, place in zip(trainable, self.variables):
            weight.value = self.params[place].reshape(weight.shape)
            weight.gradient = self.grads[place].reshape(weight.shape)
        for weight, place in zip(carried, places):
            weight.value = self.state[place].reshape(weight.shape)
        self._penalised = [w for w in trainable if w.regularizer is not None]
        trained = [
            index for index, layer in enumerate(self.layers) if any(w.trainable for w in layer.weights)
        ]
        self._lowest = trained[0] if trained else 0

    def _draw(self) -> None:
        for layer, rng in zip(self.layers, self._rng.spawn(len(self.layers))):
            for weight in layer.weights:
                weight.value[...] = weight.initializer(weight.shape, rng)
            layer.seed(rng)
            layer.bound()
        for layer, following in zip(self.layers, self.layers[1:]):
            if isinstance(layer, Rescaling):
                layer.hand_over(following)

    # --- the three passes
    # --------------------------------------------------------------------------------------

    def forward(self, x: Any, logits: bool = False) -> Array:
        """Training pass: y (N, ...) for x (N, ...), keeping what backward needs.

        logits  leave out the last layer's activation (and its derivative in the backward that follows)

        The result is the model's own buffer, valid until the next forward; x must not change until the
        backward. Raises ValueError when x is not of the shape that the model reads, or holds no example.
        """
        if self._fused is not None and (y := self._fused.forward(x, logits)) is not None:
            return y
        self._pending = None
        x = self._checked(x)
        if len(x) == 0:
            raise ValueError("a training pass needs at least one example")
        y = self._run(x, True, logits)
        self._pending = y.shape
        return y

    def backward(self, dy: Array, need_dx: bool = False) -> Array | None:
        """Fill `grads` (overwriting them) from dL/dy; give dL/dx only when asked for.

        Raises RuntimeError without a forward before it: one backward per forward. The gradient of
        regularizers is included.
        """
        if self._fused is not None and (dx := self._fused.backward(dy, need_dx)) is not False:
            return self._finish_backward(dx)
        if self._pending is None:
            raise RuntimeError("backward needs a forward before it; one backward per forward")
        given = numbers(dy, "dy")
        if given.shape != self._pending:
            raise ValueError(f"dy {given.shape} does not fit the output {self._pending} of the last forward")
        gradient = np.ascontiguousarray(given, self.dtype)
        lowest = (
            0 if need_dx else self._lowest
        )  # below it nothing is trained: its dx, the dearest, is not needed
        for index in range(len(self.layers) - 1, lowest, -1):
            gradient = self.layers[index].backward(gradient)  # type: ignore[assignment]
        dx = self.layers[lowest].backward(gradient, need_dx)
        return self._finish_backward(dx if need_dx else None)

    def _finish_backward(self, dx: Array | None) -> Array | None:
        self._pending = None
        for weight in self._penalised:
            weight.gradient += weight.regularizer.gradient(weight.value)  # type: ignore[union-attr]
        return dx

    def predict(self, x: Any, batch_size: int = PREDICT_BATCH, verbose: int = 0) -> Array:
        """Outputs (N, ...) for x (N, ...), in prediction mode; a new array.

        Keeps no cache: a pending backward stays valid.

        batch_size  examples at a time; it changes the memory in use, not the result
        verbose     accepted for Keras's sake; nothing is printed
        """
        if (
            self._fused is not None
            and batch_size == PREDICT_BATCH
            and (y := self._fused.predict(x)) is not None
        ):
            return y
        return self._predict(x, batch_size)

    def _predict(self, x: Any, batch_size: int, logits: bool = False) -> Array:
        x, step = self._checked(x), positive(batch_size, "batch_size")
        y = np.empty((len(x), *self.output_shape), self.dtype)
        for start in range(0, len(x), step):
            y[start : start + step] = self._run(x[start : start + step], False, logits)
        return y

    __call__ = predict

    def penalty(self) -> float:
        """What the regularizers add to the loss."""
        return sum((w.regularizer.value(w.value) for w in self._penalised if w.regularizer), 0.0)

    def _run(self, x: Array, training: bool, logits: bool = False) -> Array:
        if self._fused is not None:
            y = self._fused.forward(x, logits) if training else self._fused.predict(x, logits)
            if y is not None:
                return y
        for layer in self.layers[:-1]:
            x = layer.forward(x, training)
        last = self.layers[-1]
        if not logits:
            return last.forward(x, training)
        if not isinstance(last, ActivatedLayer):
            raise ValueError(f"{last.name} has no activation to leave out")
        return last.forward(x, training, activate=False)

    def _checked(self, x: Any) -> Array:
        array = numbers(x, "x")
        if not self._built:
            self.build(array.shape[1:] if array.ndim > 1 else None)
        if array.shape[1:] != self.input_shape or array.ndim != len(self.input_shape) + 1:
            raise ValueError(
                f"the model reads (N, {', '.join(map(str, self.input_shape))}), not {array.shape}"
            )
        if array.dtype == np.uint8 and getattr(self.layers[0], "accepts_bytes", False):
            return np.ascontiguousarray(array)
        return np.ascontiguousarray(array, self.dtype)

    # --- weights
    # -----------------------------------------------------------------------------------------------

    def get_weights(self) -> list[Array]:
        """Copies of all weights, layer by layer."""
        self.build()
        return [value for layer in self.layers for value in layer.get_weights()]

    def set_weights(self, values: list[Any]) -> None:
        """Overwrite all weights; raises ValueError, and changes none, unless every shape fits."""
        self.build()
        wanted = self._shapes()
        values = [numbers(value, "a weight") for value in values]
        given = [value.shape for value in values]
        if wanted != given:
            raise ValueError(f"the model needs weights of shapes {wanted}, not {given}")
        for layer in self.layers:
            count = len(layer.weights)
            layer.set_weights(values[:count])
            values = values[count:]

    def copy_from(self, other: Network, tau: float = 1.0) -> None:
        """Become `other` (tau = 1), or move towards it: w += tau (w_other - w), for params and state alike.

        Raises ValueError unless both have weights of the same shapes, and 0 <= tau <= 1.
        """
        self.build(other.build().input_shape)
        mine, theirs = self._shapes(), other._shapes()
        if mine != theirs:
            raise ValueError(f"weights of shapes {mine} cannot be copied from {theirs}")
        if not 0 <= tau <= 1:
            raise ValueError(f"tau must be in [0, 1], not {tau}")
        for target, source in ((self.params, other.params), (self.state, other.state)):
            if tau == 1.0:
                np.copyto(target, source)
            else:
                target += self.dtype.type(tau) * (source - target)

    def _shapes(self) -> list[Shape]:
        return [weight.shape for layer in self.layers for weight in layer.weights]

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a model cannot be copied or pickled, for its layers are views of its arrays; "
            "use clone_model and copy_from, or save and load_model"
        )

    def count_params(self) -> int:
        """Number of weights, trainable or not."""
        self.build()
        return int(self.params.size + self.state.size)


def _flat(weights: list[Weight], dtype: Any) -> tuple[Array, list[slice]]:
    """One zeroed array for all, and each weight's place in it."""
    places, start = [], 0
    for weight in weights:
        places.append(slice(start, start + weight.size))
        start += weight.size
    return aligned_zeros((start,), dtype), places
