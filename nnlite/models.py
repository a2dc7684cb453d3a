"""Sequential: Keras's model class, a Network with Keras's methods to train, describe and save it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nnlite import names, saving, strict_json
from nnlite.arrays import Array
from nnlite.attributes import put
from nnlite.folding import fold_batch_normalization
from nnlite.layers.layer import as_shape
from nnlite.layers.registry import described, layer_from
from nnlite.registration import checked_objects, own_pieces
from nnlite.saving import save_model
from nnlite.summary import summary_table
from nnlite.tensor_file import Check, Spec, read_tensors, read_tensors_from_bytes
from nnlite.terminal import say
from nnlite.training.trainer import Trainer
from nnlite.utils import missing_name

__all__ = [
    "Sequential",
    "clone_model",
    "fold_batch_normalization",
    "load_model",
    "model_from_bytes",
    "save_model",
]


class Sequential(Trainer):
    """A model whose layers run one after the other.

    layers  any number of layers; add() appends more
    seed    int, numpy Generator or SeedSequence; every weight (and Dropout) draws from it. None: a fresh seed
    dtype   "float32", or "float64" to check gradients
    passes  "compiled": small networks run in compiled passes (see plan); "layers": always layer by layer

    The first layer needs `input_shape`; without it the first data build the model.
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.layers)!r})"

    def summary(self) -> None:
        """Print the table of layers, output shapes and weights."""
        self.build()
        say(summary_table(self))

    def save(self, path: Any, overwrite: bool = True, include_optimizer: bool = False) -> None:
        """Write architecture and weights as safetensors, whatever the file's extension; see save_model."""
        save_model(self, path, overwrite, include_optimizer)

    def save_weights(self, path: Any, overwrite: bool = True) -> None:
        """Write the weights alone as safetensors. Raises FileExistsError as save does."""
        saving.save_weights(self.build(), path, overwrite)

    def load_weights(self, path: Any) -> None:
        """Read the weights of a file of save_weights or save, which must be exactly this model's.

        Raises FileNotFoundError, or ValueError naming what does not fit; nothing is changed then.
        """
        saving.load_weights(self.build(), path)

    def get_config(self) -> dict[str, Any]:
        """Return name, dtype, input shape and every layer's class and arguments, as plain values."""
        self.build()
        layers = [described(layer) for layer in self.layers]
        return {
            "name": self.name,
            "dtype": self.dtype.name,
            "input_shape": list(self.input_shape),
            "layers": layers,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None, seed: Any = None
    ) -> Sequential:
        """Make a model of this architecture with fresh weights. Raises ValueError for an unknown class.

        custom_objects  as of load_model
        """
        with names.custom_objects(checked_objects(custom_objects)):
            return cls._unbuilt(config, seed).build(config["input_shape"])

    @classmethod
    def without_weights(cls, config: dict[str, Any]) -> Sequential:
        """Make a model of this architecture whose layers know their weights' shapes; none is allocated."""
        model = cls._unbuilt(config, None)
        put(model, "input_shape", as_shape(config["input_shape"]))
        model._declare()
        return model

    @classmethod
    def _unbuilt(cls, config: dict[str, Any], seed: Any) -> Sequential:
        layers = [layer_from(entry) for entry in config["layers"]]
        return cls(layers, name=config["name"], seed=seed, dtype=config["dtype"])


def clone_model(model: Sequential, seed: Any = None) -> Sequential:
    """Make a model of the same architecture with *other*, freshly drawn weights, as Keras does.

    Layers of your own need no registration. copy_from gives it the same weights.
    """
    with names.collected() as pieces:
        config = model.get_config()
    return Sequential.from_config(config, own_pieces(pieces), seed)


def load_model(path: Any, custom_objects: Mapping[str, Any] | None = None) -> Sequential:
    """Read the model that save_model wrote.

    custom_objects  your own classes and functions by their names, if they are not registered

    Raises FileNotFoundError, or ValueError naming what is wrong with the file.
    """
    return _model_from(partial(read_tensors, path), custom_objects)


def model_from_bytes(data: bytes, custom_objects: Mapping[str, Any] | None = None) -> Sequential:
    """Read a model from the content of its file; arguments and errors as load_model."""
    return _model_from(partial(read_tensors_from_bytes, data), custom_objects)


def _model_from(
    read: Callable[[Check], tuple[dict[str, Array], dict[str, str]]], own: Mapping[str, Any] | None
) -> Sequential:
    with names.custom_objects(checked_objects(own)):
        tensors, metadata = read(_check_header)
        config = saving.architecture(metadata)
        model = saving.usable(lambda: Sequential.from_config(config, seed=0))
        weights, state = saving.split_tensors(model, tensors)
        saving.load_tensors(model, weights)
        if "compiled" in metadata:
            saving.usable(lambda: _compile(model, metadata["compiled"], state))
        elif state:
            raise ValueError("the file has an optimizer's arrays, but no optimizer")
    return model


def _check_header(specs: dict[str, Spec], metadata: dict[str, str]) -> None:
    """Raise ValueError unless a file's arrays are those of the architecture that it states."""
    config = saving.architecture(metadata)
    saving.check_arrays(saving.usable(lambda: Sequential.without_weights(config)), specs)


def _compile(model: Sequential, text: str, state: dict[str, Array]) -> None:
    """Compile the model as a file states it, and restore its optimizer's state."""
    model.compile(**strict_json.loads(text))
    model._compiled.bind()
    model.optimizer.set_state(state)


def __getattr__(name: str) -> Any:
    raise missing_name("nnlite.models", name, __all__)
