"""Sequential: layers in a row on three flat arrays.

    params   every trainable weight, one after the other      grads   their gradients, in the same places
    state    what is carried but not trained (BatchNormalization's moving statistics)

They are allocated once, when the model is built, and never rebound: layers hold views of them, an optimizer changes
`params` in one pass, `copy_from` is a memcpy. The arrays of a forward or backward pass belong to the layers, one set
per batch size in use, so that a training step allocates nothing after the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nnlite import losses, optimizers
from nnlite.layer import Array, Layer, Shape, Weight
from nnlite.layers import REGISTRY, ActivatedLayer
from nnlite.summary import summary_table
from nnlite.training import History, TrainingLoop

PREDICT_BATCH = 256


class Sequential:
    """A model whose layers run one after the other.

    layers  any number of layers, more by add()
    seed    int, numpy Generator or SeedSequence from which every weight (and Dropout) is drawn; None draws fresh ones
    dtype   "float32", or "float64" where a gradient has to be judged

    The first layer needs `input_shape`, or the model is built by its first data.
    """

    def __init__(self, layers: Iterable[Layer] = (), name: str = "sequential", seed: Any = None, dtype: Any = "float32") -> None:
        self.name, self.dtype = name, np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype must be float32 or float64, not {self.dtype}")
        self.layers: list[Layer] = []
        self._rng = np.random.default_rng(seed)
        self._built = False
        self._pending = False
        self._training: TrainingLoop | None = None
        for layer in layers or ():
            self.add(layer)

    # --- building ----------------------------------------------------------------------------------------------

    def add(self, layer: Layer) -> None:
        """Append a layer; raises RuntimeError once the model is built, for its arrays never move."""
        if not isinstance(layer, Layer):
            raise TypeError(f"add needs a layer, not {type(layer).__name__}")
        if self._built:
            raise RuntimeError("a built model takes no more layers: its arrays never move; make a new Sequential")
        if layer.model is not None:
            raise ValueError(f"{layer.name} already belongs to a model; every layer stands in one place")
        layer.model = self
        names = {other.name for other in self.layers}
        stem, count = layer.name, 1
        while layer.name in names:
            layer.name, count = f"{stem}_{count}", count + 1
        self.layers.append(layer)

    def build(self, input_shape: Any = None) -> Sequential:
        """Allocate and draw the weights for inputs of this shape (without the batch axis). Returns itself."""
        if self._built:
            return self
        if not self.layers:
            raise ValueError("a model needs at least one layer")
        shape = input_shape if input_shape is not None else self.layers[0].input_shape
        if shape is None:
            raise ValueError("the input's shape is unknown: give the first layer input_shape=, or call build(shape)")
        self.input_shape: Shape = tuple(int(n) for n in shape)
        declared = self.layers[0].input_shape
        if declared is not None and declared != self.input_shape:
            raise ValueError(f"the first layer declares input_shape {declared}, but the data is {self.input_shape}")
        self._declare()
        self._allocate()
        self._draw()
        self._built = True
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
        self.grads = np.zeros_like(self.params)
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

    # --- the three passes --------------------------------------------------------------------------------------

    def forward(self, x: Any, logits: bool = False) -> Array:
        """Training pass: y (N, ...) for x (N, ...), keeping what backward needs.

        logits  leave out the last layer's activation (and its derivative in the backward that follows)

        The result is the model's own buffer, valid until the next forward.
        """
        y = self._run(self._checked(x), True, logits)
        self._pending = True
        return y

    def backward(self, dy: Array, need_dx: bool = False) -> Array | None:
        """Fill `grads` (overwriting them) from dL/dy; give dL/dx only when asked for.

        Raises RuntimeError without a forward before it: one backward per forward. The gradient of regularizers is included.
        """
        if not self._pending:
            raise RuntimeError("backward needs a forward before it; one backward per forward")
        expected = self.layers[-1]
        gradient = np.ascontiguousarray(dy, self.dtype)
        if gradient.shape[1:] != expected.output_shape:
            raise ValueError(f"dy {gradient.shape} does not fit the output (N, {', '.join(map(str, self.output_shape))})")
        self._pending = False
        for index in range(len(self.layers) - 1, 0, -1):
            gradient = self.layers[index].backward(gradient)  # type: ignore[assignment]
        dx = self.layers[0].backward(gradient, need_dx)
        for weight in self._penalised:
            weight.gradient += weight.regularizer.gradient(weight.value)  # type: ignore[union-attr]
        return dx

    def predict(self, x: Any, batch_size: int = PREDICT_BATCH, verbose: int = 0) -> Array:
        """Outputs (N, ...) for x (N, ...), in prediction mode; a new array. Keeps no cache: a pending backward stays valid."""
        x = self._checked(x)
        if len(x) <= batch_size:
            return self._run(x, False).copy()
        return np.concatenate([self._run(x[i : i + batch_size], False) for i in range(0, len(x), batch_size)])

    __call__ = predict

    def penalty(self) -> float:
        """What the regularizers add to the loss."""
        return sum(w.regularizer.value(w.value) for w in self._penalised)  # type: ignore[union-attr]

    def _run(self, x: Array, training: bool, logits: bool = False) -> Array:
        for layer in self.layers[:-1]:
            x = layer.forward(x, training)
        last = self.layers[-1]
        if not logits:
            return last.forward(x, training)
        if not isinstance(last, ActivatedLayer):
            raise ValueError(f"{last.name} has no activation to leave out")
        return last.forward(x, training, activate=False)

    def _checked(self, x: Any) -> Array:
        array = np.asarray(x)
        if not self._built:
            self.build(array.shape[1:] if array.ndim > 1 else None)
        if array.shape[1:] != self.input_shape or array.ndim != len(self.input_shape) + 1:
            raise ValueError(f"the model reads (N, {', '.join(map(str, self.input_shape))}), not {array.shape}")
        if array.dtype == np.uint8 and getattr(self.layers[0], "accepts_bytes", False):
            return np.ascontiguousarray(array)
        return np.ascontiguousarray(array, self.dtype)

    # --- weights -----------------------------------------------------------------------------------------------

    def get_weights(self) -> list[Array]:
        """Copies of all weights, layer by layer."""
        self.build()
        return [value for layer in self.layers for value in layer.get_weights()]

    def set_weights(self, values: list[Any]) -> None:
        """Overwrite all weights; raises ValueError, and changes none, unless every shape fits."""
        self.build()
        wanted = [w.shape for layer in self.layers for w in layer.weights]
        given = [np.asarray(value).shape for value in values]
        if wanted != given:
            raise ValueError(f"the model needs weights of shapes {wanted}, not {given}")
        values = list(values)
        for layer in self.layers:
            count = len(layer.weights)
            layer.set_weights(values[:count])
            values = values[count:]

    def copy_from(self, other: Sequential, tau: float = 1.0) -> None:
        """Become `other` (tau = 1), or move towards it: w += tau (w_other - w), for params and state alike."""
        self.build(other.input_shape)
        if self.params.shape != other.params.shape or self.state.shape != other.state.shape:
            raise ValueError(f"{self.params.size} weights cannot be copied from {other.params.size}")
        for mine, theirs in ((self.params, other.params), (self.state, other.state)):
            if tau == 1.0:
                np.copyto(mine, theirs)
            else:
                mine += self.dtype.type(tau) * (theirs - mine)

    def count_params(self) -> int:
        """Number of weights, trainable or not."""
        self.build()
        return int(self.params.size + self.state.size)

    # --- Keras's training face ---------------------------------------------------------------------------------

    def compile(self, optimizer: Any = "sgd", loss: Any = "mse", metrics: Iterable[str] = ()) -> None:
        """Choose optimizer (object or name), loss (function or name) and metrics ("accuracy") for fit and its kin."""
        self._training = TrainingLoop(self, optimizers.get(optimizer), losses.get(loss), list(metrics or ()))

    @property
    def optimizer(self) -> optimizers.Optimizer:
        return self._compiled.optimizer

    def fit(self, x: Any, y: Any, **settings: Any) -> History:
        """Train for `epochs` passes over (x, y); see TrainingLoop.fit for the settings."""
        return self._compiled.fit(x, y, **settings)

    def train_on_batch(self, x: Any, y: Any) -> Any:
        """One gradient step; returns the loss before it, or [loss, metrics...] when there are metrics."""
        return self._compiled.train_on_batch(x, y)

    def evaluate(self, x: Any, y: Any, batch_size: int = PREDICT_BATCH, verbose: int = 0) -> Any:
        """The loss in prediction mode (regularizers included), or [loss, metrics...] when there are metrics."""
        return self._compiled.evaluate(x, y, batch_size)

    @property
    def _compiled(self) -> TrainingLoop:
        if self._training is None:
            raise RuntimeError("compile the model first: model.compile(optimizer, loss)")
        return self._training

    # --- looking and keeping -----------------------------------------------------------------------------------

    def summary(self) -> None:
        """Print the table of layers, output shapes and weights."""
        self.build()
        print(summary_table(self))

    def save(self, path: Any, overwrite: bool = True, include_optimizer: bool = False) -> None:
        """Write architecture and weights as safetensors; see nnlite.saving."""
        from nnlite.saving import save_model

        save_model(self, path, overwrite, include_optimizer)

    def get_config(self) -> dict[str, Any]:
        """Name, dtype, input shape and every layer's class and arguments, as plain values."""
        self.build()
        layers = [{"class": type(layer).__name__, "config": layer.get_config()} for layer in self.layers]
        return {"name": self.name, "dtype": self.dtype.name, "input_shape": list(self.input_shape), "layers": layers}

    @classmethod
    def from_config(cls, config: dict[str, Any], seed: Any = None) -> Sequential:
        """A model of this architecture with freshly drawn weights; raises ValueError for a class that is not ours."""
        return cls._unbuilt(config, seed).build(config["input_shape"])

    @classmethod
    def weights_of_config(cls, config: dict[str, Any]) -> int:
        """How many weights a model of this architecture has, without allocating any."""
        model = cls._unbuilt(config, None)
        model.input_shape = tuple(int(n) for n in config["input_shape"])
        model._declare()
        return sum(weight.size for layer in model.layers for weight in layer.weights)

    @classmethod
    def _unbuilt(cls, config: dict[str, Any], seed: Any) -> Sequential:
        layers = []
        for entry in config["layers"]:
            if entry["class"] not in REGISTRY:
                raise ValueError(f"unknown layer class {entry['class']!r}; there are {', '.join(sorted(REGISTRY))}")
            layers.append(REGISTRY[entry["class"]](**entry["config"]))
        return cls(layers, name=config["name"], seed=seed, dtype=config["dtype"])


def clone_model(model: Sequential, seed: Any = None) -> Sequential:
    """The same architecture with *other*, freshly drawn weights, as in Keras; copy_from gives it the same ones."""
    return Sequential.from_config(model.get_config(), seed)


def load_model(path: Any) -> Sequential:
    """The model that save() wrote; raises ValueError when the file is not one of ours, or damaged."""
    from nnlite.saving import load_model as load

    return load(path)


def _flat(weights: list[Weight], dtype: Any) -> tuple[Array, list[slice]]:
    """One zeroed array for all, and each weight's place in it."""
    places, start = [], 0
    for weight in weights:
        places.append(slice(start, start + weight.size))
        start += weight.size
    return np.zeros(start, dtype), places
