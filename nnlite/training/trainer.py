"""Trainer: a network with Keras's methods to compile, fit and evaluate it. `models.Sequential` is one."""

from __future__ import annotations

from typing import Any

from nnlite import losses, optimizers
from nnlite import metrics as all_metrics
from nnlite.attributes import put
from nnlite.callbacks.base import CallbackList, listed
from nnlite.callbacks.records import History
from nnlite.network import Network
from nnlite.passes import PREDICT_BATCH
from nnlite.progress import Progress, verbosity
from nnlite.training import given
from nnlite.training.loop import TrainingLoop
from nnlite.training.scores import Scores
from nnlite.utils import flag, is_whole, positive, real, refuse_unknown


class Trainer(Network):
    """A network that can be compiled, fitted and evaluated.

    history  of the last fit, also if it ended in an exception
    """

    _training: TrainingLoop | None = None
    history: History

    def compile(
        self,
        optimizer: Any = "sgd",
        loss: Any = "mse",
        metrics: Any = (),
        weighted_metrics: Any = (),
        **unknown: Any,
    ) -> None:
        """Choose what training uses.

        optimizer         a name, or an object of nnlite.optimizers
        loss              a name, an object of nnlite.losses, or a function that returns (value, gradient)
        metrics           names, objects of nnlite.metrics, or functions; they do not see weights of examples
        weighted_metrics  the same; they see them

        Raises ValueError for an unknown name; the message lists the known ones. Raises TypeError for a
        function whose parameters are not named prediction and target, or y_pred and y_true.
        """
        refuse_unknown(unknown, "compile", Trainer.compile)
        scores = Scores(*all_metrics.get_all(metrics, weighted_metrics))
        self._training = TrainingLoop(self, optimizers.get(optimizer), losses.get(loss), scores)

    @property
    def optimizer(self) -> optimizers.Optimizer:
        """The compiled optimizer; its `learning_rate` may be changed between steps."""
        return self._compiled.optimizer

    def get_compile_config(self) -> dict[str, Any]:
        """Return the arguments of compile as plain values."""
        return self._compiled.get_config()

    def fit(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        seed: Any = None,
        **unknown: Any,
    ) -> History:
        """Train on x (N, ...) and y (N, ...) up to epoch `epochs`; return the History of loss and metrics.

        x                 an array; or a utils.PyDataset or a generator of batches (x, y) or (x, y, weights)
        batch_size        examples a step, 32 by default; the last batch of an epoch may be smaller
        verbose           0 silent, 1 (or "auto") Keras's progress line, 2 one line an epoch
        callbacks         one object of nnlite.callbacks, or a list
        validation_split  share of the data in [0, 1); this last part is evaluated every epoch, not trained on
        validation_data   (x, y), (x, y, weights) or batches to evaluate instead; weights (N,) of losses
        shuffle, seed     a new order each epoch, from this seed or Generator; None: the model's own generator
        class_weight      {class: factor of its examples' losses}
        sample_weight     (N,) factor of each example's loss; the mean is still over all N
        initial_epoch     number of the first epoch, to continue an earlier fit
        steps_per_epoch   batches a generator gives each epoch; validation_steps likewise

        Setting `stop_training` ends it after the batch or epoch. Raises RuntimeError before compile,
        ValueError for data that do not fit, before the first epoch, FloatingPointError for NaN or infinity.
        """
        refuse_unknown(unknown, "fit", Trainer.fit)
        share, level = real(validation_split, "validation_split", 0, 1), verbosity(verbose)
        loop, size = self._compiled, positive(32 if batch_size is None else batch_size, "batch_size")
        span = epoch_range(initial_epoch, epochs)
        rng = given.generator_of(loop, flag(shuffle, "shuffle"), seed)
        if share and validation_data is not None:
            raise ValueError("give validation_split or validation_data, not both")
        if share:
            (x, y, sample_weight), validation_data = given.hold_out(x, y, sample_weight, share)
        train = given.data(loop, x, y, sample_weight, size, steps_per_epoch, class_weight, "steps_per_epoch")
        if train.stream.steps is None and len(span) > 1:
            raise ValueError("a generator needs steps_per_epoch for more than one epoch")
        held_out = None
        if validation_data is not None:
            held_out = given.validation(loop, validation_data, max(size, 256), validation_steps)
        elif validation_steps is not None:
            raise ValueError("validation_steps needs validation_data")
        history = History()
        params = {"epochs": epochs, "steps": train.stream.steps, "verbose": level}
        hooks = CallbackList([*listed(callbacks), history], self, params)
        put(self, "history", history)
        loop.fit(train, held_out, span, rng, hooks, level)
        return history

    def train_on_batch(self, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None) -> Any:
        """Take one gradient step; return the loss before it, or [loss, metrics...] of this batch."""
        return self._compiled.train_on_batch(x, y, sample_weight, class_weight)

    def test_on_batch(self, x: Any, y: Any, sample_weight: Any = None) -> Any:
        """Return the loss of one batch in prediction mode, or [loss, metrics...] with metrics."""
        return self.evaluate(x, y, sample_weight=sample_weight)

    def evaluate(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = PREDICT_BATCH,
        verbose: int = 0,
        sample_weight: Any = None,
        steps: int | None = None,
    ) -> Any:
        """Return the loss in prediction mode, regularizers included; [loss, metrics...] with metrics.

        x              an array (N, ...); or a utils.PyDataset or a generator of batches
        verbose        1 or 2 prints Keras's line at the end
        sample_weight  (N,) factor of each example's loss; the mean is still over all N
        steps          batches to take from a generator; None: until it ends
        """
        loop, level = self._compiled, verbosity(verbose)
        data = given.data(loop, x, y, sample_weight, batch_size, steps)
        progress = Progress(data.stream.steps, level)
        logs = loop.evaluate(data)
        progress.finish(logs)
        return list(logs.values()) if loop.scores.metrics else logs["loss"]

    @property
    def _compiled(self) -> TrainingLoop:
        if self._training is None:
            raise RuntimeError("compile the model first: model.compile(optimizer, loss)")
        return self._training


def epoch_range(initial_epoch: int, epochs: int) -> range:
    """Return the numbers of the epochs; ValueError unless 0 <= initial_epoch <= epochs, epochs >= 1."""
    if not is_whole(initial_epoch) or not 0 <= initial_epoch <= positive(epochs, "epochs"):
        raise ValueError(
            f"initial_epoch must be a whole number in [0, epochs={epochs}], not {initial_epoch!r}"
        )
    return range(initial_epoch, epochs)
