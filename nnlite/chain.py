"""Chain: layers one after the other, built on three flat arrays that never move.

    params   every trained weight, one after the other
    grads    their gradients, in the same places
    state    weights that are not trained: BatchNormalization's moving statistics

They are allocated once, when the chain is built, and never rebound. Layers hold views of them, an optimizer
changes `params` in one pass. The first use of one builds a chain whose input_shape is known.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from nnlite_ext._network import Turn

from nnlite import activations
from nnlite.arrays import Array
from nnlite.attributes import Guarded, argument, put
from nnlite.dataset import is_stream
from nnlite.layers import Input, Layer, Rescaling
from nnlite.layers.layer import as_shape, declare, take_names
from nnlite.utils import aligned_zeros, numbers
from nnlite.weights import OWNERS, Shape, Variables, Weight

Model = TypeVar("Model", bound="Chain")
ARRAYS = ("params", "grads", "state")
BUILT = (*ARRAYS, "variables", "input_shape", "output_shape")


class Chain(Guarded):
    """Layers, their order and their memory; the arguments are explained in models.Sequential."""

    name: str
    dtype: np.dtype[np.floating] = argument()
    input_shape: Shape = argument()
    output_shape: Shape = argument()
    params: Array
    grads: Array
    state: Array
    variables: Variables = argument()
    lock: Turn = argument()  # held by every pass that another thread could disturb

    def __init__(self, layers: Iterable[Layer | Input] | None, name: str, seed: Any, dtype: Any) -> None:
        self.name, self.dtype = name, np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype must be float32 or float64, not {self.dtype}")
        self._layers: list[Layer] = []
        self._input: Input | None = None
        self._penalised: list[Weight] = []  # trainable weights with a regularizer
        self._frozen: list[slice] = []  # places of weights of layers that are not trainable
        self.lock = Turn()
        self._rng = np.random.default_rng(seed)
        self._built = False
        for layer in layers or ():
            self.add(layer)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, in order; add() appends one."""
        return tuple(self._layers)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return the layer of this name, or at this index. Raises ValueError if there is none."""
        if (name is None) == (index is None):
            raise ValueError("give the name of a layer, or its index")
        places: dict[Any, Layer] = {layer.name: layer for layer in self._layers}
        if name is None:
            places = dict(enumerate(self._layers))
        key = index if name is None else name
        if isinstance(key, bool) or key not in places:
            raise ValueError(f"there is no layer {key!r}; there are {', '.join(map(str, places))}")
        return places[key]

    @property
    def trainable(self) -> bool:
        """Whether any layer is trainable. Setting it sets every layer's, as in Keras."""
        return any(layer.trainable for layer in self._layers)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._layers:
            layer.trainable = value

    def walk(self) -> Iterator[Layer]:
        """Yield every layer, in order, and after each the layers inside it."""
        for layer in self._layers:
            yield from layer.walk()

    def add(self, layer: Layer | Input) -> None:
        """Append a layer; an Input may stand before the first and is not one of `layers`.

        Raises RuntimeError once the model is built, because its arrays never move.
        """
        if not isinstance(layer, (Layer, Input)):
            raise TypeError(f"add needs a layer, not {type(layer).__name__}")
        if self._built:
            raise RuntimeError(
                "a built model takes no more layers: its arrays never move; make a new Sequential"
            )
        if isinstance(layer, Input):
            if self._layers or self._input is not None:
                raise ValueError("a model has one Input, before its first layer")
            self._input = layer
            return
        if layer.is_taken:
            raise ValueError(f"{layer.name} already belongs to a model; every layer stands in one place")
        for part in layer.walk():
            part._model = self
        self._layers.append(layer)
        take_names(self._layers)

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
        if not self._layers:
            raise ValueError("a model needs at least one layer")
        declared = self._layers[0].input_shape
        if self._input is not None:
            if declared not in (None, self._input.shape):
                raise ValueError(f"Input declares {self._input.shape}, the first layer {declared}")
            declared = self._input.shape
        shape = declared if input_shape is None else input_shape
        if shape is None:
            raise ValueError(
                "the input's shape is unknown: give the first layer input_shape=, or call build(shape)"
            )
        put(self, "input_shape", as_shape(shape))  # a build that fails may be tried again
        if declared is not None and declared != self.input_shape:
            raise ValueError(
                f"the first layer declares input_shape {declared}, but the data is {self.input_shape}"
            )
        self._declare()
        self._allocate()
        self._draw()
        self._built = True
        self.layer_changed()
        return self

    def layer_changed(self) -> None:
        """Follow a layer whose activation or `trainable` was set."""
        if not self._built:
            return
        with self.lock:
            weights = [w for layer in self._layers for w in layer.weights if w.trainable]
            trained = {w: None for layer in self._layers for w in layer.trainable_weights}  # in order
            self._frozen = self.variables.frozen
            self._frozen[:] = [place for place, w in zip(self.variables, weights) if w not in trained]
            self._penalised = [w for w in trained if w.regularizer is not None]
        for layer in self.walk():
            one_column = (layer.output_shape or ())[-1:] == (1,)
            if one_column and isinstance(getattr(layer, "activation", None), activations.Softmax):
                what = f"the softmax of {layer.name} over one column is always 1, so nothing is learned"
                warnings.warn(f"{what}; use sigmoid, or one column for each class", stacklevel=3)

    def build_for(self, x: Any) -> None:
        """Build the model for data x (N, ...), if it is not built. Raises ValueError if x does not fit."""
        if is_stream(x):
            raise ValueError(
                "batches do not build a model: give the first layer input_shape=, or call build(shape)"
            )
        shape = numbers(x, "x").shape
        with self.lock:
            self.build(shape[1:] if len(shape) > 1 else None)

    if not TYPE_CHECKING:  # of types, a name that is not declared stays an error

        def __getattr__(self, name: str) -> Any:
            """Build the model for a name that `build` sets; AttributeError where no input_shape is known."""
            if name not in BUILT:
                raise AttributeError(f"{type(self).__name__} has no {name!r}", name=name, obj=self)
            with self.lock:
                try:
                    return getattr(self.build(), name)
                except ValueError as problem:
                    raise AttributeError(f"no {name} before build: {problem}", name=name, obj=self) from None

    def _place(self, name: str) -> Array | None:
        return getattr(self, name) if name in ARRAYS else None

    def _declare(self) -> None:
        put(self, "output_shape", declare(self._layers, self.input_shape, self.dtype))
        names = [f"{layer.name}/{weight.name}" for layer in self._layers for weight in layer.weights]
        if len(set(names)) < len(names):
            twice = next(name for name in sorted(names) if names.count(name) > 1)
            raise ValueError(f"two weights are called {twice}; give one of them another name")

    def _allocate(self) -> None:
        trainable = [w for layer in self._layers for w in layer.weights if w.trainable]
        carried = [w for layer in self._layers for w in layer.weights if not w.trainable]
        params, places = _flat(trainable, self.dtype)
        state, carried_places = _flat(carried, self.dtype)
        put(self, "params", params), put(self, "grads", aligned_zeros(params.shape, self.dtype))
        put(self, "state", state)
        put(self, "variables", Variables(places, self.lock, [weight.name for weight in trainable]))
        OWNERS[params.ctypes.data] = self.variables
        for weight, place in zip(trainable, self.variables):
            weight.value = self.params[place].reshape(weight.shape)
            weight.gradient = self.grads[place].reshape(weight.shape)
        for weight, place in zip(carried, carried_places):
            weight.value = self.state[place].reshape(weight.shape)

    def _draw(self) -> None:
        for layer, rng in zip(self._layers, self._rng.spawn(len(self._layers))):
            for weight in layer.weights:
                weight.value[...] = weight.initializer(weight.shape, rng)
            layer.seed(rng)
            layer.bound()
        for layer, following in zip(self._layers, self._layers[1:]):
            if isinstance(layer, Rescaling):
                layer.hand_over(following)


def _flat(weights: list[Weight], dtype: Any) -> tuple[Array, list[slice]]:
    """Return one zeroed array for all weights, and each weight's slice of it."""
    places, start = [], 0
    for weight in weights:
        places.append(slice(start, start + weight.size))
        start += weight.size
    return aligned_zeros((start,), dtype), places
