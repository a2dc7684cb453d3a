"""Callbacks that set the optimizer's learning rate."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from nnlite.attributes import argument, checked
from nnlite.callbacks.base import Callback, Logs
from nnlite.callbacks.monitor import MonitorCallback, whole
from nnlite.terminal import say
from nnlite.utils import not_negative, real


class LearningRateScheduler(Callback):
    """Set the learning rate at the beginning of each epoch to schedule(epoch, rate), or schedule(epoch).

    Logs get "learning_rate".
    """

    adds = ("learning_rate",)
    schedule: Callable[..., float] = argument()
    verbose: int = checked(whole)

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        if not callable(schedule):
            raise TypeError(f"schedule must be a function of (epoch, learning_rate), not {schedule!r}")
        self.schedule, self.verbose = schedule, int(verbose)
        self._reads_rate = len(inspect.signature(schedule).parameters) > 1

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        optimizer = self.model.optimizer
        given = (epoch, optimizer.learning_rate) if self._reads_rate else (epoch,)
        optimizer.learning_rate = real(self.schedule(*given), "the schedule's learning rate", 0)
        if self.verbose:
            rate = optimizer.learning_rate
            say(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            logs["learning_rate"] = self.model.optimizer.learning_rate


class ReduceLROnPlateau(MonitorCallback):
    """Multiply the learning rate by `factor` after `patience` epochs without improvement.

    cooldown  epochs after a reduction during which patience does not count
    min_lr    the rate does not fall below this one
    monitor, verbose, mode, min_delta  see MonitorCallback

    Logs get "learning_rate", the rate with which the epoch was trained.
    """

    adds = ("learning_rate",)
    factor: float = checked(lambda value, what: real(value, what, 0, 1))
    patience: int = checked(whole)
    cooldown: int = checked(whole)
    min_lr: float = checked(not_negative)
    wait: int

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta, verbose)
        self.factor, self.patience, self.cooldown, self.min_lr = factor, patience, cooldown, min_lr
        self.wait, self._cooling = 0, 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.best, self.wait, self._cooling = None, 0, 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = {} if logs is None else logs
        logs["learning_rate"] = self.model.optimizer.learning_rate
        if self._cooling:
            self._cooling, self.wait = self._cooling - 1, 0
        if self.improves(logs[self.monitor], self.best):
            self.best, self.wait = logs[self.monitor], 0
        elif not self._cooling:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        optimizer: Any = self.model.optimizer
        if optimizer.learning_rate > self.min_lr:
            optimizer.learning_rate = max(optimizer.learning_rate * self.factor, self.min_lr)
            self._cooling, self.wait = self.cooldown, 0
            if self.verbose:
                rate = optimizer.learning_rate
                say(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {rate}.")
