"""EarlyStopping: end the training when a value stops improving."""

from __future__ import annotations

from nnlite.arrays import Array
from nnlite.attributes import checked
from nnlite.callbacks.base import Logs
from nnlite.callbacks.monitor import MonitorCallback, whole
from nnlite.terminal import say
from nnlite.utils import flag, real


class EarlyStopping(MonitorCallback):
    """End training after `patience` epochs without improvement; Keras's rules.

    monitor, min_delta, verbose, mode  see MonitorCallback
    patience              epochs without improvement after which training ends
    baseline              only a value better than this starts patience anew
    restore_best_weights  put the best epoch's weights back at the end, moving statistics too
    start_from_epoch      epochs before this one are not watched

    Afterwards `stopped_epoch` is the epoch after which training ended, 0 if it did not, and `best_epoch` is
    the best one; both count from 0. Weights are put back also if an exception ends the training.
    """

    patience: int = checked(whole)
    baseline: float | None
    restore_best_weights: bool = checked(flag)
    start_from_epoch: int = checked(whole)
    wait: int
    stopped_epoch: int
    best_epoch: int

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta, verbose)
        self.patience, self.restore_best_weights = patience, restore_best_weights
        self.baseline = None if baseline is None else real(baseline, "baseline")
        self.start_from_epoch = start_from_epoch
        self._reset()

    def _reset(self) -> None:
        self.best, self.wait, self.stopped_epoch, self.best_epoch = None, 0, 0, 0
        self._best_weights: list[Array] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        value = (logs or {})[self.monitor]
        if epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self.improves(value, self.best):
            self.best = value
            self._remember(epoch)
            if self.baseline is None or self.improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch, self.model.stop_training = epoch, True

    def _remember(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self._best_weights = self.model.get_weights()

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.stopped_epoch and self.verbose:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self._best_weights is not None:
            if self.verbose:
                say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self._best_weights)
