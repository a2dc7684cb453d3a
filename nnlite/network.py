"""Network: a chain of layers on three flat arrays. `models.Sequential` adds Keras's methods.

    params   every trainable weight, one after the other
    grads    their gradients, in the same places
    state    weights that are not trained: BatchNormalization's moving statistics

They are allocated once, when the network is built, and never rebound. Layers hold views of them, an optimizer
changes `params` in one pass, `copy_from` is a memcpy. The passes own all other arrays, one set for each batch
size in use, so a training step allocates nothing after the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn, TypeVar

import numpy as np
from nnlite_ext._network import CompiledNetwork

from nnlite.arrays import Array
from nnlite.layer import Layer, Shape, Weight, as_shape
from nnlite.layers import Rescaling
from nnlite.passes import PREDICT_BATCH, LayerPasses
from nnlite.plan import compiled_network
from nnlite.utils import aligned_zeros, numbers

Model = TypeVar("Model", bound="Network")


class Network:
    """A model whose layers run one after the other; the arguments are explained in models.Sequential."""

    def __init__(
        self,
        layers: Iterable[Layer] | None = None,
        name: str = "sequential",
        seed: Any = None,
        dtype: Any = "float32",
        passes: str = "compiled",
    ) -> None:
        self.name, self.dtype = name, np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype must be float32 or float64, not {self.dtype}")
        self.layers: list[Layer] = []
        self._rng = np.random.default_rng(seed)
        if passes not in ("compiled", "layers"):
            raise ValueError(f"passes must be 'compiled' or 'layers', not {passes!r}")
        self._wanted_passes = passes
        self._passes: LayerPasses | CompiledNetwork = LayerPasses([], (), self.dtype)  # until it is built
        self._built = False
        for layer in layers or ():
            self.add(layer)

    # --- building

    def add(self, layer: Layer) -> None:
        """Append a layer. Raises RuntimeError once the model is built, because its arrays never move."""
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
        """Allocate and draw the weights for inputs of this shape, without the batch axis. Return the model.

        Raises ValueError if the shape is unknown, does not fit the layers, or differs from that of an earlier
        build.
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
        self._passes = self._choose_passes()
        self._built = True
        return self

    def _build_for(self, x: Any) -> None:
        shape = numbers(x, "x").shape
        self.build(shape[1:] if len(shape) > 1 else None)

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

    def _draw(self) -> None:
        for layer, rng in zip(self.layers, self._rng.spawn(len(self.layers))):
            for weight in layer.weights:
                weight.value[...] = weight.initializer(weight.shape, rng)
            layer.seed(rng)
            layer.bound()
        for layer, following in zip(self.layers, self.layers[1:]):
            if isinstance(layer, Rescaling):
                layer.hand_over(following)

    def _choose_passes(self) -> LayerPasses | CompiledNetwork:
        layers = LayerPasses(self.layers, self.input_shape, self.dtype)
        if self._wanted_passes == "layers":
            return layers
        return compiled_network(layers, self.params, self.grads) or layers

    # --- passes

    def forward(self, x: Any, logits: bool = False) -> Array:
        """Run a training pass: return y (N, ...) for x (N, ...) and keep what backward needs.

        logits  leave out the last layer's activation, and its derivative in the backward that follows

        y is the network's own buffer, valid until the next forward. x must not change until the backward.
        Raises ValueError if x has another shape than the network reads, or holds no example.
        """
        if not self._built:
            self._build_for(x)
        return self._passes.forward(x, logits)

    def backward(self, dy: Any, need_dx: bool = False) -> Array | None:
        """Overwrite `grads` from dL/dy (N, ...), regularizers included; return dL/dx (N, ...) if need_dx.

        Raises RuntimeError unless a forward came before it: one backward per forward. Raises ValueError if dy
        has another shape than y; the backward is still pending then.
        """
        dx = self._passes.backward(dy, need_dx)
        for weight in self._penalised:
            weight.gradient += weight.regularizer.gradient(weight.value)  # type: ignore[union-attr]
        return dx

    def predict(
        self, x: Any, batch_size: int = PREDICT_BATCH, verbose: int = 0, logits: bool = False
    ) -> Array:
        """Return y (N, ...) for x (N, ...) in prediction mode, a new array. A pending backward stays valid.

        batch_size  examples at a time; it changes the memory in use, not the result
        verbose     accepted because Keras has it; nothing is printed
        logits      leave out the last layer's activation
        """
        if not self._built:
            self._build_for(x)
        return self._passes.predict(x, batch_size, logits)

    __call__ = predict

    def penalty(self) -> float:
        """Return the sum of all regularizers, which is a part of the loss."""
        return sum((w.regularizer.value(w.value) for w in self._penalised if w.regularizer), 0.0)

    # --- weights

    def get_weights(self) -> list[Array]:
        """Return copies of all weights, layer by layer."""
        self.build()
        return [value for layer in self.layers for value in layer.get_weights()]

    def set_weights(self, values: list[Any]) -> None:
        """Overwrite all weights. Raises ValueError, and changes none, unless every shape fits."""
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
        """Move params and state towards `other`: w += tau (w_other - w). tau = 1 copies them.

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
            "a model cannot be copied or pickled, because its layers are views of its arrays; "
            "use clone_model and copy_from, or save and load_model"
        )

    def count_params(self) -> int:
        """Return the number of weights, trainable or not."""
        self.build()
        return int(self.params.size + self.state.size)


def _flat(weights: list[Weight], dtype: Any) -> tuple[Array, list[slice]]:
    """Return one zeroed array for all weights, and each weight's slice of it."""
    places, start = [], 0
    for weight in weights:
        places.append(slice(start, start + weight.size))
        start += weight.size
    return aligned_zeros((start,), dtype), places
