"""Training as in Keras: fit, train_on_batch, evaluate, with Keras's progress lines and History."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from nnlite_ext import _adam

from nnlite import losses
from nnlite.activated import ActivatedLayer
from nnlite.arrays import Array
from nnlite.losses import FROM_LOGITS, Loss
from nnlite.network import Network
from nnlite.optimizers import Optimizer
from nnlite.passes import check_input
from nnlite.progress import Progress
from nnlite.terminal import say
from nnlite.utils import numbers, positive, to_categorical

METRICS = ("accuracy", "acc")


class History:
    """Means of every epoch: history["loss"][e], likewise the metrics, and "val_..." of validation data."""

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def add(self, epoch: int, values: dict[str, float]) -> None:
        """Append the means of one epoch."""
        self.epoch.append(epoch)
        for name, value in values.items():
            self.history.setdefault(name, []).append(value)


class TrainingLoop:
    """An optimizer on the model's flat arrays, a loss and metrics; compile() makes it."""

    def __init__(self, model: Network, optimizer: Optimizer, loss: Loss, metrics: list[str]) -> None:
        unknown = [name for name in metrics if name not in METRICS]
        if unknown:
            raise ValueError(f"unknown metric {unknown[0]!r}; there is 'accuracy'")
        self.model, self.optimizer, self.loss, self.metrics = model, optimizer, loss, metrics

    @property
    def logit_loss(self) -> Loss | None:
        """The compiled loss as a function of the logits; None if there is none for the last activation."""
        last = self.model.layers[-1]
        name = last.activation.name if isinstance(last, ActivatedLayer) else ""
        return FROM_LOGITS.get((self.loss, name))

    def bind(self) -> None:
        """Bind the optimizer to the built model's arrays, once. ValueError if it trains another model."""
        if self.optimizer.params is self.model.params:
            return
        if self.optimizer.params.size:
            raise ValueError("this optimizer already trains another model; make one for each")
        self.optimizer.bind(self.model.params, self.model.grads, self.model.variables)

    def train_on_batch(self, x: Any, y: Any) -> Any:
        """Take one gradient step; return the loss before it, or [loss, metrics...]."""
        with self.model.lock:
            return self._train_on_batch(x, y)

    def _train_on_batch(self, x: Any, y: Any) -> Any:
        model, (x, target) = self.model, self._ready(x, y)
        logit_loss, step = self.logit_loss, self.optimizer.iterations + 1
        if not (all_finite(x) and all_finite(target)):
            raise FloatingPointError(
                f"x or y holds NaN or infinity at optimizer step {step}; no weight was changed"
            )
        output = model.forward(x, logits=logit_loss is not None)
        value, gradient = (logit_loss or self.loss)(output, target)
        value += model.penalty()
        if not math.isfinite(value):
            raise FloatingPointError(f"the loss is {value} at optimizer step {step}; no weight was changed")
        scores = [self._score(output, target) for _ in self.metrics]
        model.backward(gradient)
        self.optimizer.step()
        return [value, *scores] if self.metrics else value

    def evaluate(self, x: Any, y: Any, batch_size: int, weights: Array | None = None) -> Any:
        """Return the loss over (x, y) in prediction mode, or [loss, metrics...].

        weights  (N,) factors of each example's loss; the mean is still over all N
        """
        model, (x, target) = self.model, self._ready(x, y)
        output = model.predict(x, batch_size, logits=self.logit_loss is not None)
        value = weighted_loss(self.logit_loss or self.loss, output, target, weights) + model.penalty()
        return [value, *(self._score(output, target) for _ in self.metrics)] if self.metrics else value

    def fit(
        self,
        x: Any,
        y: Any,
        batch_size: int,
        epochs: int,
        verbose: int,
        share: float,
        validation: Any,
        shuffle: bool,
        seed: Any,
    ) -> History:
        """Train as Sequential.fit; `share` and `validation` are its validation_split and validation_data."""
        x, y = numbers(x, "x"), numbers(y, "y")
        positive(batch_size, "batch_size"), positive(epochs, "epochs")
        check_examples(x, y)
        if share and validation is not None:
            raise ValueError("give validation_split or validation_data, not both")
        held_out = None if validation is None else validation_data(validation)
        if share:
            x, y, held_out = hold_out(x, y, share)
        x, y = self._ready(x, y)
        if held_out is not None:
            self._ready(held_out[0], held_out[1])
        rng = self.model._rng if seed is None else np.random.default_rng(seed)
        history = History()
        self.model.stop_training = False
        for epoch in range(epochs):
            order = rng.permutation(len(x)) if shuffle else np.arange(len(x))
            if verbose:
                say(f"Epoch {epoch + 1}/{epochs}")
            progress = Progress(-(-len(x) // batch_size), verbose)
            values = self._epoch(x, y, order, batch_size, progress)
            if held_out is not None:
                result = self.evaluate(held_out[0], held_out[1], max(batch_size, 256), held_out[2])
                named = zip(["loss", *self.metrics], np.atleast_1d(result).tolist())
                values |= {f"val_{name}": value for name, value in named}
            progress.finish(values)
            history.add(epoch, values)
            if self.model.stop_training:
                break
        return history

    def _epoch(
        self, x: Array, y: Array, order: Array, batch_size: int, progress: Progress
    ) -> dict[str, float]:
        names = ["loss", *self.metrics]
        sums, seen, means = [0.0] * len(names), 0, {}
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            result = self.train_on_batch(np.take(x, rows, axis=0), np.take(y, rows, axis=0))
            values = result if self.metrics else (result,)
            sums = [total + len(rows) * value for total, value in zip(sums, values)]
            seen += len(rows)
            means = {name: total / seen for name, total in zip(names, sums)}
            progress.step(means)
        return means

    def _ready(self, x: Any, y: Any) -> tuple[Array, Array]:
        """Return x, and y in the output's shape and dtype, for the model, which is built and bound.

        Raises ValueError unless x and y fit the model and each other.
        """
        model, x, target = self.model, numbers(x, "x"), numbers(y, "y")
        if not model._built:
            model.build_for(x)
        self.bind()
        check_input(x, model.input_shape)
        if target.ndim == 0:
            raise ValueError("y must hold one row an example, not a single number")
        wanted = (len(target), *model.output_shape)
        labels = wanted[-1] > 1 and target.shape in (wanted[:-1], (*wanted[:-1], 1))
        if labels and self.loss is losses.categorical_crossentropy:
            target = to_categorical(target.reshape(wanted[:-1]), wanted[-1])
        elif target.shape == wanted[:-1] and wanted[-1] == 1:
            target = target[..., None]  # Keras's one forgiveness: (N,) targets of a one-column output
        if target.shape != wanted:
            raise ValueError(f"y {target.shape} must have the same shape as the model's output, {wanted}")
        if len(target) != len(x):
            raise ValueError(f"x and y must hold the same number of examples: {len(x)} and {len(target)}")
        return x, np.ascontiguousarray(target, model.dtype)

    def _score(self, output: Array, target: Array) -> float:
        """Return the share of right answers.

        Right is the same largest column; with one column, the same side of probability 0.5 or logit 0.
        """
        if output.shape[-1] > 1:
            return float(np.mean(output.argmax(-1) == target.argmax(-1)))
        threshold = 0.0 if self.logit_loss is not None else 0.5
        return float(np.mean((output > threshold) == (target > 0.5)))


def all_finite(values: Any) -> bool:
    """Are all these numbers finite? Raises ValueError if they are no numbers."""
    array = numbers(values, "x")
    if array.dtype in (np.float32, np.float64) and array.flags.c_contiguous:
        # one compiled pass; a sum that is not finite may have overflowed
        if math.isfinite(_adam.sum_of_squares(array.reshape(-1))):
            return True
    return bool(np.isfinite(array).all())


def check_examples(x: Array, y: Array) -> None:
    """Raise ValueError unless x (N, ...) and y (N, ...) hold the same number of examples, at least one."""
    if x.ndim == 0 or y.ndim == 0:
        raise ValueError("x and y must hold one row an example, not a single number")
    if len(x) != len(y) or len(x) == 0:
        raise ValueError(
            f"x and y must hold the same number of examples, at least one: {len(x)} and {len(y)}"
        )


Validation = tuple[Array, Array, Array | None]


def hold_out(x: Array, y: Array, share: float) -> tuple[Array, Array, Validation]:
    """Split off the last `share` of the examples: (x, y, (x, y, None) held out).

    As in Keras, floor(N (1 - share)) examples remain. Raises ValueError if that leaves a part empty.
    """
    kept = math.floor(len(x) * (1 - share))
    if not 0 < kept < len(x):
        raise ValueError(
            f"validation_split={share} of {len(x)} examples leaves {kept} to train on; "
            "give more examples, another share, or validation_data"
        )
    return x[:kept], y[:kept], (x[kept:], y[kept:], None)


def validation_data(given: Any) -> Validation:
    """Read (x, y) or (x, y, weights); weights (N,). Raises ValueError for anything else."""
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
        kind = f"{len(given)} parts" if isinstance(given, (tuple, list)) else type(given).__name__
        raise ValueError(f"validation_data must be (x, y) or (x, y, weights), not {kind}")
    x, y = numbers(given[0], "validation x"), numbers(given[1], "validation y")
    check_examples(x, y)
    if len(given) == 2 or given[2] is None:
        return x, y, None
    weights = numbers(given[2], "validation weights")
    if weights.shape != (len(x),) or not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError(f"validation weights must be {len(x)} finite numbers >= 0, not {weights.shape}")
    return x, y, weights


def weighted_loss(loss: Loss, output: Array, target: Array, weights: Array | None) -> float:
    """Return the loss of output and target (N, ...), or the mean over N of weights (N,) times loss."""
    if weights is None:
        return loss(output, target)[0]
    each = [loss(output[n : n + 1], target[n : n + 1])[0] for n in range(len(output))]
    return float(np.mean(np.multiply(each, weights)))
