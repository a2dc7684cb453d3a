"""Training as in Keras: fit, train_on_batch, evaluate, with Keras's progress lines and History."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
from nnlite_ext import _adam

from nnlite import losses
from nnlite.arrays import Array
from nnlite.layer import ActivatedLayer
from nnlite.losses import FROM_LOGITS, Loss
from nnlite.network import Network
from nnlite.optimizers import Optimizer
from nnlite.terminal import is_terminal, say
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
        model, target = self._ready(x, y)
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

    def evaluate(self, x: Any, y: Any, batch_size: int) -> Any:
        """Return the loss over (x, y) in prediction mode, or [loss, metrics...]."""
        model, target = self._ready(x, y)
        output = model.predict(x, batch_size, logits=self.logit_loss is not None)
        value = (self.logit_loss or self.loss)(output, target)[0] + model.penalty()
        return [value, *(self._score(output, target) for _ in self.metrics)] if self.metrics else value

    def fit(
        self,
        x: Any,
        y: Any,
        batch_size: int,
        epochs: int,
        verbose: int,
        validation: tuple[Any, Any] | float,
        shuffle: bool,
        seed: Any,
    ) -> History:
        """Train as Sequential.fit; `validation` is (x, y), or the share of the data to hold out."""
        x, y = numbers(x, "x"), numbers(y, "y")
        positive(batch_size, "batch_size"), positive(epochs, "epochs")
        if x.ndim == 0 or y.ndim == 0:
            raise ValueError("x and y must hold one row an example, not a single number")
        if len(x) != len(y) or len(x) == 0:
            raise ValueError(
                f"x and y must hold the same number of examples, at least one: {len(x)} and {len(y)}"
            )
        x, y, held_out = hold_out(x, y, validation) if isinstance(validation, float) else (x, y, validation)
        rng = self.model._rng if seed is None else np.random.default_rng(seed)
        history = History()
        for epoch in range(epochs):
            order = rng.permutation(len(x)) if shuffle else np.arange(len(x))
            progress = Progress(epoch, epochs, -(-len(x) // batch_size), verbose)
            values = self._epoch(x, y, order, batch_size, progress)
            if held_out is not None:
                result = self.evaluate(held_out[0], held_out[1], max(batch_size, 256))
                named = zip(["loss", *self.metrics], np.atleast_1d(result).tolist())
                values |= {f"val_{name}": value for name, value in named}
            progress.finish(values)
            history.add(epoch, values)
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

    def _ready(self, x: Any, y: Any) -> tuple[Network, Array]:
        """Return the model, built and bound to its optimizer, and y in the output's shape and dtype."""
        model = self.model
        if not model._built:
            model.build(np.shape(x)[1:])
        self.bind()
        target = numbers(y, "y")
        if target.ndim == 0:
            raise ValueError("y must hold one row an example, not a single number")
        wanted = (len(target), *model.output_shape)
        labels = wanted[-1] > 1 and target.shape in (wanted[:-1], (*wanted[:-1], 1))
        if labels and self.loss is losses.categorical_crossentropy:
            target = to_categorical(target.reshape(wanted[:-1]), wanted[-1])
        elif target.shape == wanted[:-1] and wanted[-1] == 1:
            target = target[..., None]  # Keras's one forgiveness: (N,) targets of a one-column output
        return model, np.ascontiguousarray(target, model.dtype)

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


def hold_out(x: Array, y: Array, share: float) -> tuple[Array, Array, tuple[Array, Array] | None]:
    """Split off the last `share` of the examples: (x, y, (x, y) held out), or None if that is no example."""
    if not 0 <= share < 1:
        raise ValueError(f"validation_split must be in [0, 1), not {share}")
    kept = len(x) - int(len(x) * share)
    return (x, y, None) if kept == len(x) else (x[:kept], y[:kept], (x[kept:], y[kept:]))


class Progress:
    """Keras's progress lines: "Epoch 1/8", then a bar, which moves only on a terminal."""

    def __init__(self, epoch: int, epochs: int, steps: int, verbose: int) -> None:
        self.steps, self.verbose, self.done, self.start = steps, verbose, 0, time.perf_counter()
        self.moving = verbose == 1 and is_terminal()
        self.shown = 0.0
        if verbose:
            say(f"Epoch {epoch + 1}/{epochs}")

    def step(self, values: dict[str, float]) -> None:
        """Count one more batch; `values` are the means so far."""
        self.done += 1
        now = time.perf_counter()
        if self.moving and now - self.shown > 0.05 and self.done < self.steps:
            self.shown = now
            say("\r" + self._line(values), end="")

    def finish(self, values: dict[str, float]) -> None:
        """Print the epoch's last line."""
        if self.verbose:
            say(("\r" if self.moving else "") + self._line(values))

    def _line(self, values: dict[str, float]) -> str:
        filled = 30 * self.done // self.steps
        bar = "=" * filled if filled == 30 else "=" * filled + ">" + "." * (29 - filled)
        spent = time.perf_counter() - self.start
        head = f"{self.done}/{self.steps} [{bar}] - " if self.verbose == 1 else ""
        numbers = " - ".join(f"{name}: {value:.4f}" for name, value in values.items())
        return f"{head}{spent:.0f}s {_duration(spent / max(self.done, 1))}/step - {numbers}"


def _duration(seconds: float) -> str:
    """Format 0.0004 as 400us, 0.02 as 20ms, 3.1 as 3s: whole numbers, as Keras does."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f}us"
    return f"{seconds * 1e3:.0f}ms" if seconds < 1 else f"{seconds:.0f}s"
