"""Base class of layers: declared weights, views of the model's flat arrays, a cache for one backward."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from nnlite import initializers, regularizers
from nnlite.arrays import Array
from nnlite.attributes import Guarded, argument, declared_names, put
from nnlite.utils import aligned_zeros, flag, is_whole, numbers, refuse_unknown, snake_case
from nnlite.weights import Shape, Weight


class Layer(Guarded):
    """One step of a model. Shapes are without the batch axis.

    build(input_shape)     declares the weights, returns the output's shape
    forward(x, training)   fills the cache for backward, only if training
    backward(dy, need_dx)  empties that cache, OVERWRITES the gradients of the layer's weights

    name         the layer's name in summary() and in files; the class's name in snake case by default
    input_shape  on the first layer: the shape of one example, (2,) or (8, 8, 1)
    trainable    False: training leaves the layer's weights as they are; may be changed at any time
    """

    name: str = argument()
    input_shape: Shape | None = argument()
    _weights: list[Weight] = []  # of no layer: each has its own after __init__
    _inner: tuple[Layer, ...] = ()  # of a layer that holds others
    _absent: tuple[str, ...] = ()  # names of optional weights, once it is built without them

    def __init__(
        self, name: str | None = None, input_shape: Any = None, trainable: bool = True, **unknown: Any
    ) -> None:
        refuse_unknown(unknown, type(self).__name__, type(self).__init__, Layer.__init__)
        self.name = name or snake_case(type(self).__name__)
        self.input_shape = None if input_shape is None else as_shape(input_shape)
        self._trainable = flag(trainable, "trainable")
        self._output_shape: Shape | None = None
        self._weights = []
        self._dtype = np.dtype(np.float32)
        self._model: Any = None
        self._holder: Layer | None = None  # the layer that this one stands in
        self._cache: tuple[Any, ...] | None = None
        self._buffers: dict[tuple[str, Shape], Array] = {}

    @property
    def trainable(self) -> bool:
        """Whether training changes the layer's weights; a layer that it stands in counts too."""
        return self._trainable and (self._holder is None or self._holder.trainable)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = flag(value, "trainable")
        self._changed()

    @property
    def output_shape(self) -> Shape | None:
        """The shape of one example's output; None until the model is built."""
        return self._output_shape

    @property
    def weights(self) -> tuple[Weight, ...]:
        """The declared weights, in Keras's order."""
        return tuple(self._weights)

    @property
    def trainable_weights(self) -> tuple[Weight, ...]:
        """The weights that training changes at present; none if the layer is not trainable."""
        return tuple(weight for weight in self._weights if weight.trainable and self.trainable)

    @property
    def is_taken(self) -> bool:
        """Whether the layer already stands in a model, or in another layer."""
        return self._model is not None or self._holder is not None

    def walk(self) -> Iterator[Layer]:
        """Yield the layer and, in order, every layer inside it."""
        yield self
        for layer in self._inner:
            yield from layer.walk()

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """The model's float32 or float64."""
        return self._dtype

    def _changed(self) -> None:
        """Tell the model that this layer computes or trains in another way from now on."""
        if self._model is not None:
            self._model.layer_changed()

    def _place(self, name: str) -> Array | None:
        cls: Any = type(self)
        _, is_ours = declared_names(cls)
        if is_ours and callable(getattr(cls, name, None)):  # the compiled passes would not call it
            raise AttributeError(f"{name} is a method of {cls.__name__}; to change it, make a subclass")
        held = getattr(self, name, None)
        if isinstance(held, Weight):
            held = held.value if held.value.size else None
        elif held is None and name in self._absent:
            raise AttributeError(f"{self.name} was made without {name}")
        is_view = any(held is weight.value or held is weight.gradient for weight in self._weights)
        return held if is_view else None

    def build(self, input_shape: Shape) -> Shape:
        """Declare the weights for inputs (N, *input_shape); return the output's shape.

        Raises ValueError if the layer cannot read this shape.
        """
        raise TypeError(f"{type(self).__name__} has no build")

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return y (N, *output_shape), a buffer of the layer's own; if training, keep what backward needs."""
        raise TypeError(f"{type(self).__name__} has no forward")

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        """Overwrite the weights' gradients from dL/dy (N, *output_shape); return dL/dx if need_dx.

        dy is not changed. Raises RuntimeError without a forward(training=True) of its own before it.
        """
        raise TypeError(f"{type(self).__name__} has no backward")

    def bound(self) -> None:
        """Name the weights self.W, self.dW ...: the model calls this once their views are in place."""

    def seed(self, rng: np.random.Generator) -> None:
        """Keep the layer's own generator; the model calls this once. Only layers that draw override it."""

    def add_weight(
        self, name: str, shape: Shape, initializer: Any, regularizer: Any = None, trainable: bool = True
    ) -> Weight:
        """Declare a weight inside `build`."""
        weight = Weight(name, shape, initializers.get(initializer), regularizers.get(regularizer), trainable)
        self._weights.append(weight)
        return weight

    def get_weights(self) -> list[Array]:
        """Return copies of the weights in Keras's order: kernel, bias; gamma, beta, moving mean, variance."""
        self._ensure_built()
        return [weight.value.copy() for weight in self._weights]

    def set_weights(self, values: list[Any]) -> None:
        """Overwrite all weights. Raises ValueError, and changes none, unless number and shapes fit."""
        self._ensure_built()
        arrays = [numbers(value, "a weight") for value in values]
        wanted = [weight.shape for weight in self._weights]
        if [array.shape for array in arrays] != wanted:
            raise ValueError(f"{self.name} needs weights of shapes {wanted}, not {[a.shape for a in arrays]}")
        for weight, array in zip(self._weights, arrays):
            weight.value[...] = array

    def count_params(self) -> int:
        """Return the number of weights, trainable or not."""
        self._ensure_built()
        return sum(weight.size for weight in self._weights)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values, enough to make the layer again."""
        config: dict[str, Any] = {"name": self.name}
        if self.input_shape is not None:
            config["input_shape"] = list(self.input_shape)
        if not self._trainable:
            config["trainable"] = False
        return config

    def buffer(self, name: str, shape: Shape, dtype: Any = None) -> Array:
        """Return the layer's own array of this name and shape; it is zero at its first use."""
        key = (name, shape)
        found = self._buffers.get(key)
        if found is None:
            found = self._buffers[key] = aligned_zeros(shape, dtype or self._dtype)
        return found

    def _keep(self, *arrays: Any) -> None:
        put(self, "_cache", arrays)

    def _take_cache(self) -> tuple[Any, ...]:
        if self._cache is None:
            raise RuntimeError(
                f"{self.name}: backward needs a forward(training=True) before it; one backward per forward"
            )
        cache = self._cache
        put(self, "_cache", None)
        return cache

    def _ensure_built(self) -> None:
        if self._output_shape is None:
            if self._model is None:
                raise ValueError(
                    f"{self.name} has no weights yet: add it to a model whose first layer has an input_shape"
                )
            self._model.build()


def declare(layers: Iterable[Layer], shape: Shape, dtype: np.dtype[np.floating]) -> Shape:
    """Build layers, one after the other, for inputs (N, *shape); return the last one's output shape."""
    for layer in layers:
        layer._dtype = dtype
        layer._weights = []
        shape = layer._output_shape = layer.build(shape)
    return shape


def take_names(layers: Iterable[Layer]) -> None:
    """Number the names that are there already: dense, dense_1, dense_2."""
    names: set[str] = set()
    for layer in layers:
        name, count = layer.name, 1
        while name in names:
            name, count = f"{layer.name}_{count}", count + 1
        put(layer, "name", name)
        names.add(name)


def as_shape(value: Any) -> Shape:
    """Turn 2 into (2,), [8, 8, 1] into (8, 8, 1). Raises ValueError unless every size is an integer >= 1."""
    sizes = (value,) if is_whole(value) else value
    listed = isinstance(sizes, (tuple, list)) and len(sizes) > 0
    if not listed or not all(is_whole(n) and n >= 1 for n in sizes):
        raise ValueError(f"a shape must hold whole numbers >= 1, without the batch axis, not {value!r}")
    return tuple(int(n) for n in sizes)
