"""Keras's training face: fit, train_on_batch, evaluate, with Keras's progress lines and History."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlite import losses
from nnlite.layers import ActivatedLayer
from nnlite.losses import FROM_LOGITS, Loss
from nnlite.optimizers import Optimizer
from nnlite.utils import positive, to_categorical

if TYPE_CHECKING:
    from nnlite.models import Sequential

Array = np.ndarray[Any, np.dtype[Any]]
METRICS = ("accuracy", "acc")


class History:
    """history["loss"][e] is the mean loss of epoch e; likewise the metrics, and "val_..." for validation data."""

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def add(self, epoch: int, values: dict[str, float]) -> None:
        self.epoch.append(epoch)
        for name, value in values.items():
            self.history.setdefault(name, []).append(value)


class TrainingLoop:
    """What compile() sets up: an optimizer bound to the model's flat arrays, a loss, metrics."""

    def __init__(self, model: Sequential, optimizer: Optimizer, loss: Loss, metrics: list[str]) -> None:
        unknown = [name for name in metrics if name not in METRICS]
        if unknown:
            raise ValueError(f"unknown metric {unknown[0]!r}; there is 'accuracy'")
        self.model, self.optimizer, self.loss, self.metrics = model, optimizer, loss, metrics
        last = model.layers[-1] if model.layers else None
        name = last.activation.name if isinstance(last, ActivatedLayer) else ""
        self._logit_loss = FROM_LOGITS.get((loss, name))
        self._bound = False

    def train_on_batch(self, x: Any, y: Any) -> Any:
        """One step; the loss before it, or [loss, metrics...]."""
        model, target = self._ready(x, y)
        output = model.forward(x, logits=self._logit_loss is not None)
        value, gradient = (self._logit_loss or self.loss)(output, target)
        value += model.penalty()
        if not np.isfinite(value):
            raise FloatingPointError(f"the loss is {value} at optimizer step {self.optimizer.iterations + 1}; no weight was changed")
        scores = [self._score(output, target) for _ in self.metrics]
        model.backward(gradient)
        self.optimizer.step()
        return [value, *scores] if self.metrics else value

    def evaluate(self, x: Any, y: Any, batch_size: int) -> Any:
        """Loss over all of (x, y) in prediction mode, or [loss, metrics...]."""
        model, target = self._ready(x, y)
        x = np.asarray(x)
        outputs = [model._run(model._checked(x[i : i + batch_size]), False, self._logit_loss is not None).copy()
                   for i in range(0, len(x), batch_size)]
        output = np.concatenate(outputs)
        value = (self._logit_loss or self.loss)(output, target)[0] + model.penalty()
        return [value, *(self._score(output, target) for _ in self.metrics)] if self.metrics else value

    def fit(
        self,
        x: Any,
        y: Any,
        batch_size: int = 32,
        epochs: int = 1,
        verbose: int = 1,
        validation_data: tuple[Any, Any] | None = None,
        validation_split: float = 0.0,
        shuffle: bool = True,
        seed: Any = None,
    ) -> History:
        """Train on (x, y).

        batch_size        examples a step; the last batch of an epoch may be smaller
        validation_data   (x, y) evaluated after each epoch; or validation_split, the last part of the data, in [0, 1)
        verbose           0 silent, 1 Keras's progress line, 2 one line an epoch
        shuffle, seed     a new order each epoch, from this seed (or Generator); None takes the model's own generator
        """
        x, y = np.asarray(x), np.asarray(y)
        if len(x) != len(y) or len(x) == 0:
            raise ValueError(f"x and y must hold the same number of examples, at least one: {len(x)} and {len(y)}")
        positive(batch_size, "batch_size"), positive(epochs, "epochs")
        if not 0 <= validation_split < 1:
            raise ValueError(f"validation_split must be in [0, 1), not {validation_split}")
        if validation_split and validation_data is None:
            kept = len(x) - int(len(x) * validation_split)
            x, y, validation_data = x[:kept], y[:kept], (x[kept:], y[kept:])
        rng = self.model._rng if seed is None else np.random.default_rng(seed)
        history = History()
        for epoch in range(epochs):
            order = rng.permutation(len(x)) if shuffle else np.arange(len(x))
            progress = Progress(epoch, epochs, -(-len(x) // batch_size), verbose)
            values = self._epoch(x, y, order, batch_size, progress)
            if validation_data is not None:
                result = self.evaluate(*validation_data, batch_size=max(batch_size, 256))
                values |= {f"val_{name}": v for name, v in zip(["loss", *self.metrics], np.atleast_1d(result).tolist())}
            progress.finish(values)
            history.add(epoch, values)
        return history

    def _epoch(self, x: Array, y: Array, order: Array, batch_size: int, progress: Progress) -> dict[str, float]:
        sums, names = np.zeros(1 + len(self.metrics)), ["loss", *self.metrics]
        seen = 0
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            sums += len(rows) * np.atleast_1d(self.train_on_batch(x[rows], y[rows]))
            seen += len(rows)
            progress.step(dict(zip(names, (sums / seen).tolist())))
        return dict(zip(names, (sums / seen).tolist()))

    def _ready(self, x: Any, y: Any) -> tuple[Sequential, Array]:
        """The built model with its optimizer bound, and the target in the output's own shape and dtype."""
        model = self.model
        if not model._built:
            model.build(np.shape(x)[1:])
        if not self._bound:
            self.optimizer.bind(model.params, model.grads, model.variables)
            self._bound = True
        target = np.asarray(y)
        wanted = (len(target), *model.output_shape)
        if self.loss is losses.categorical_crossentropy and target.shape in (wanted[:-1], (*wanted[:-1], 1)) and wanted[-1] > 1:
            target = to_categorical(target.reshape(wanted[:-1]), wanted[-1])
        elif target.shape == wanted[:-1] and wanted[-1] == 1:
            target = target[..., None]  # Keras's one forgiveness: (N,) targets of a one-column output
        return model, np.ascontiguousarray(target, model.dtype)

    def _score(self, output: Array, target: Array) -> float:
        """Share of right answers: the largest column's, or output and target on the same side of one half (of logit 0)."""
        if output.shape[-1] > 1:
            return float(np.mean(output.argmax(-1) == target.argmax(-1)))
        threshold = 0.0 if self._logit_loss is not None else 0.5
        return float(np.mean((output > threshold) == (target > 0.5)))


class Progress:
    """Keras's lines: "Epoch 1/8", then a bar that moves on a terminal, and stands once where there is none."""

    def __init__(self, epoch: int, epochs: int, steps: int, verbose: int) -> None:
        self.steps, self.verbose, self.done, self.start = steps, verbose, 0, time.perf_counter()
        self.moving = verbose == 1 and sys.stdout.isatty()
        self.shown = 0.0
        if verbose:
            print(f"Epoch {epoch + 1}/{epochs}")

    def step(self, values: dict[str, float]) -> None:
        self.done += 1
        now = time.perf_counter()
        if self.moving and now - self.shown > 0.05 and self.done < self.steps:
            self.shown = now
            print("\r" + self._line(values), end="", flush=True)

    def finish(self, values: dict[str, float]) -> None:
        if self.verbose:
            print(("\r" if self.moving else "") + self._line(values), flush=True)

    def _line(self, values: dict[str, float]) -> str:
        filled = 30 * self.done // self.steps
        bar = "=" * filled if filled == 30 else "=" * filled + ">" + "." * (29 - filled)
        spent = time.perf_counter() - self.start
        per_step = f"{spent / max(self.done, 1) * 1e3:.1f}ms/step"
        numbers = " - ".join(f"{name}: {value:.4f}" for name, value in values.items())
        head = f"{self.done}/{self.steps} [{bar}] - " if self.verbose == 1 else ""
        return f"{head}{spent:.1f}s {per_step} - {numbers}"
