"""Sequential: Keras's model class.

What it computes stands in network.py; here are Keras's words around it.
"""

from __future__ import annotations

from typing import Any

from nnlite import losses, optimizers
from nnlite.layer import as_shape
from nnlite.layers import REGISTRY
from nnlite.network import PREDICT_BATCH, Network
from nnlite.summary import summary_table
from nnlite.training import History, TrainingLoop
from nnlite.utils import missing_name, refuse_unknown

__all__ = ["Sequential", "clone_model", "load_model"]


class Sequential(Network):
    """A model whose layers run one after the other.

    layers  any number of layers, more by add()
    seed    int, numpy Generator or SeedSequence from which every weight (and Dropout) is drawn; None draws
            fresh ones
    dtype   "float32", or "float64" where a gradient has to be judged

    The first layer needs `input_shape`, or the model is built by its first data.
    """

    _training: TrainingLoop | None = None

    # --- training
    # ----------------------------------------------------------------------------------------------

    def compile(self, optimizer: Any = "sgd", loss: Any = "mse", metrics: Any = (), **unknown: Any) -> None:
        """Choose optimizer (object or name), loss (function or name) and metrics ("accuracy") for fit and its
        kin.

        Raises ValueError naming what there is when a name is unknown.
        """
        refuse_unknown(unknown, "compile", Sequential.compile)
        names = [metrics] if isinstance(metrics, str) else list(metrics or ())
        self._training = TrainingLoop(self, optimizers.get(optimizer), losses.get(loss), names)

    @property
    def optimizer(self) -> optimizers.Optimizer:
        """The compiled optimizer; its `learning_rate` may be changed between steps."""
        return self._compiled.optimizer

    def fit(
        self,
        x: Any,
        y: Any,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        validation_split: float = 0.0,
        validation_data: tuple[Any, Any] | None = None,
        shuffle: bool = True,
        seed: Any = None,
        **unknown: Any,
    ) -> History:
        """Train on x (N, ...) and y (N, ...) for `epochs` passes; returns the History of loss and metrics.

        batch_size        examples a step, 32 unless told otherwise; the last batch of an epoch may be smaller
        verbose           0 silent, 1 Keras's progress line, 2 one line an epoch
        validation_split  share of the data, its last part, in [0, 1), kept out of training and evaluated each
                          epoch
        validation_data   (x, y) to evaluate instead
        shuffle, seed     a new order each epoch, from this seed (or Generator); None takes the model's own
                          generator

        Raises RuntimeError before compile, ValueError for data that do not fit, FloatingPointError for NaN or
        infinity.
        """
        refuse_unknown(unknown, "fit", Sequential.fit)
        validation = validation_data if validation_data is not None else float(validation_split)
        size = 32 if batch_size is None else batch_size
        return self._compiled.fit(x, y, size, epochs, verbose, validation, shuffle, seed)

    def train_on_batch(self, x: Any, y: Any) -> Any:
        """One gradient step; returns the loss before it, or [loss, metrics...] when there are metrics."""
        return self._compiled.train_on_batch(x, y)

    def evaluate(self, x: Any, y: Any, batch_size: int = PREDICT_BATCH, verbose: int = 0) -> Any:
        """The loss in prediction mode (regularizers included), or [loss, metrics...] when there are
        metrics.
        """
        return self._compiled.evaluate(x, y, batch_size)

    @property
    def _compiled(self) -> TrainingLoop:
        if self._training is None:
            raise RuntimeError("compile the model first: model.compile(optimizer, loss)")
        return self._training

    # --- looking and keeping
    # -----------------------------------------------------------------------------------

    def summary(self) -> None:
        """Print the table of layers, output shapes and weights."""
        self.build()
        print(summary_table(self))

    def save(self, path: Any, overwrite: bool = True, include_optimizer: bool = False) -> None:
        """Write architecture and weights as safetensors, whatever the file's ending; see nnlite.saving.

        include_optimizer  also the optimizer's moments and the names given to compile, so that training can
                           go on
        Raises FileExistsError when the file is there and overwrite is False.
        """
        from nnlite.saving import save_model

        save_model(self, path, overwrite, include_optimizer)

    def get_config(self) -> dict[str, Any]:
        """Name, dtype, input shape and every layer's class and arguments, as plain values."""
        self.build()
        layers = [{"class": type(layer).__name__, "config": layer.get_config()} for layer in self.layers]
        return {
            "name": self.name,
            "dtype": self.dtype.name,
            "input_shape": list(self.input_shape),
            "layers": layers,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], seed: Any = None) -> Sequential:
        """A model of this architecture with freshly drawn weights; raises ValueError for a class that is not
        ours.
        """
        return cls._unbuilt(config, seed).build(config["input_shape"])

    @classmethod
    def declared(cls, config: dict[str, Any]) -> Sequential:
        """A model of this architecture whose layers know the shapes of their weights; none is allocated."""
        model = cls._unbuilt(config, None)
        model.input_shape = as_shape(config["input_shape"])
        model._declare()
        return model

    @classmethod
    def _unbuilt(cls, config: dict[str, Any], seed: Any) -> Sequential:
        layers = []
        for entry in config["layers"]:
            if entry["class"] not in REGISTRY:
                raise ValueError(
                    f"unknown layer class {entry['class']!r}; there are {', '.join(sorted(REGISTRY))}"
                )
            layers.append(REGISTRY[entry["class"]](**entry["config"]))
        return cls(layers, name=config["name"], seed=seed, dtype=config["dtype"])


def clone_model(model: Sequential, seed: Any = None) -> Sequential:
    """The same architecture with *other*, freshly drawn weights, as in Keras; copy_from gives it the same
    ones.
    """
    return Sequential.from_config(model.get_config(), seed)


def load_model(path: Any) -> Sequential:
    """The model that save() wrote; raises ValueError when the file is not one of ours, or damaged."""
    from nnlite.saving import load_model as load

    return load(path)


def __getattr__(name: str) -> Any:
    raise missing_name("nnlite.models", name, __all__)
