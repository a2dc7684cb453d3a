"""TrainingLoop: an optimizer, a loss and metrics on a model's arrays, over one stream of batches."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from nnlite.arrays import Array
from nnlite.callbacks.base import CallbackList, Logs
from nnlite.layers.activated import ActivatedLayer
from nnlite.losses import Loss
from nnlite.names import serialize
from nnlite.network import Network
from nnlite.optimizers import Optimizer
from nnlite.progress import NOTHING, Progress
from nnlite.terminal import say
from nnlite.training.reader import Batch, Reader, all_finite
from nnlite.training.scores import Scores
from nnlite.training.streams import BatchStream


class Data(NamedTuple):
    """A stream of batches, and the reader that checks them."""

    stream: BatchStream
    reader: Reader


class TrainingLoop:
    """An optimizer on the model's flat arrays, a loss and metrics; compile() makes it."""

    def __init__(self, model: Network, optimizer: Optimizer, loss: Loss, scores: Scores) -> None:
        self.model, self.optimizer, self.loss, self.scores = model, optimizer, loss, scores
        has_form = loss.activation and not getattr(loss, "from_logits", False)
        self._on_logits = loss.on_logits() if has_form else None

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of compile as plain values."""
        return {
            "optimizer": serialize(self.optimizer),
            "loss": serialize(self.loss),
            **self.scores.get_config(),
        }

    @property
    def logit_loss(self) -> Loss | None:
        """The compiled loss as a function of the logits; None if there is none for the last activation.

        Raises ValueError for a loss of logits on a model whose end is the activation that it contains.
        """
        if not self.loss.activation:
            return None
        last = self.model.layers[-1]
        if not isinstance(last, ActivatedLayer) or last.activation.name != self.loss.activation:
            return None
        if self._on_logits is None:
            end = last.activation.name
            raise ValueError(f"{self.loss!r} reads logits, but the model ends in {end}; drop one of them")
        return self._on_logits

    def reader(self, x: Any, class_weight: Any = None) -> Reader:
        """Return a Reader for the model, which is built for x and bound to the optimizer if it is not."""
        if not self.model._built:
            self.model.build_for(x)
        self.bind()
        return Reader(self.model, self.loss, class_weight)

    def bind(self) -> None:
        """Bind the optimizer to the built model's arrays, once. ValueError if it trains another model."""
        if self.optimizer.params is self.model.params:
            return
        if self.optimizer.params.size:
            raise ValueError("this optimizer already trains another model; make one for each")
        self.optimizer.bind(self.model.params, self.model.grads, self.model.variables)

    # --- one batch

    def train_on_batch(self, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> Any:
        """Take one gradient step; return the loss before it, or [loss, metrics...] of this batch."""
        with self.model.lock:
            batch = self.reader(x, class_weight)(x, y, sample_weight)
            if not self.scores.metrics:
                return self._step(batch)
            self.scores.reset()
            return list(self.scores.results(self._step(batch)).values())

    def _step(self, batch: Batch) -> float:
        model, (x, target, weights) = self.model, batch
        logit_loss, step = self.logit_loss, self.optimizer.iterations + 1
        if not (all_finite(x) and all_finite(target)):
            raise FloatingPointError(
                f"x or y holds NaN or infinity at optimizer step {step}; no weight was changed"
            )
        output = model.forward(x, logits=logit_loss is not None)
        value, gradient = (logit_loss or self.loss)(output, target, weights)
        value += model.penalty()
        if not math.isfinite(value):
            raise FloatingPointError(f"the loss is {value} at optimizer step {step}; no weight was changed")
        if self.scores.metrics:
            self._score(self.scores, output, batch)
        model.backward(gradient)
        self.optimizer.step()
        return value

    def _test(self, batch: Batch, scores: Scores) -> float:
        """Return the loss without penalties, and update these scores."""
        logit_loss = self.logit_loss
        output = self.model.predict(batch.x, logits=logit_loss is not None)
        value, _ = (logit_loss or self.loss)(output, batch.target, batch.weights)
        self._score(scores, output, batch)
        return value

    def _score(self, scores: Scores, output: Array, batch: Batch) -> None:
        """Let the metrics see the output after its last activation."""
        last = self.model.layers[-1]
        if self.logit_loss is not None and isinstance(last, ActivatedLayer):
            output = output.copy()
            last.activation.forward(output)
        scores.update(output, batch.target, batch.weights)

    # --- many batches

    def evaluate(self, data: Data) -> Logs:
        """Return {"loss": ..., metrics} over all batches, in prediction mode."""
        scores, total, seen = self.scores.fresh(), 0.0, 0
        for given in data.stream.epoch(None):
            batch = data.reader(*given)
            total, seen = total + len(batch.x) * self._test(batch, scores), seen + len(batch.x)
        if not seen:
            raise ValueError("there is no example to evaluate")
        return scores.results(total / seen + self.model.penalty())

    def fit(
        self,
        train: Data,
        held_out: Data | None,
        epochs: range,
        rng: np.random.Generator | None,
        callbacks: CallbackList,
        verbose: int,
    ) -> None:
        """Run epochs: train, evaluate what is held out, and call the callbacks. rng None keeps the order."""
        names = self.scores.directions
        if held_out is not None:
            names |= {f"val_{name}": direction for name, direction in names.items()}
        callbacks.check(names)
        self.model.stop_training = False
        logs: Logs = {}
        try:
            callbacks.begin()
            for epoch in epochs:
                callbacks.call("on_epoch_begin", epoch, {})
                if verbose:
                    say(f"Epoch {epoch + 1}/{epochs.stop}")
                progress = Progress(train.stream.steps, verbose)
                logs = self._epoch(train, rng, callbacks, progress)
                if held_out is not None:
                    logs |= self._validate(held_out, callbacks)
                callbacks.call("on_epoch_end", epoch, logs)
                progress.finish(logs)
                if self.model.stop_training:
                    break
        finally:
            callbacks.end(logs)

    def _epoch(
        self, data: Data, rng: np.random.Generator | None, callbacks: CallbackList, progress: Progress
    ) -> Logs:
        """Take a step for every batch, or until stop_training; return the means."""
        self.scores.reset()
        total, seen, logs = 0.0, 0, dict(NOTHING)
        each, is_watched = callbacks.each_batch, bool(callbacks.each_batch) or progress.moving
        for step, given in enumerate(data.stream.epoch(rng)):
            for callback in each:
                callback.on_train_batch_begin(step, {})
            with self.model.lock:
                batch = data.reader(*given)
                total, seen = total + len(batch.x) * self._step(batch), seen + len(batch.x)
            if is_watched:
                logs = self.scores.results(total / seen)
            progress.step(logs)
            for callback in each:
                callback.on_train_batch_end(step, logs)
            if self.model.stop_training:
                break
        if not seen:
            raise ValueError("an epoch needs at least one batch")
        return self.scores.results(total / seen)

    def _validate(self, held_out: Data, callbacks: CallbackList) -> Logs:
        callbacks.call("on_test_begin", {})
        values = self.evaluate(held_out)
        callbacks.call("on_test_end", values)
        return {f"val_{name}": value for name, value in values.items()}
