"""ModelCheckpoint: write the model to a file while it trains."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnlite import saving
from nnlite.attributes import argument
from nnlite.callbacks.base import Logs
from nnlite.callbacks.monitor import MonitorCallback
from nnlite.terminal import say
from nnlite.utils import flag, positive


class ModelCheckpoint(MonitorCallback):
    """Write the model after every epoch, or only after the best ones.

    filepath           with places as in "{epoch:02d}-{val_loss:.2f}.safetensors"; epochs count from 1 there
    save_best_only     write only if the monitored value is better than at every time before
    save_weights_only  write the weights alone, for load_weights; else architecture, weights
                       and optimizer, for load_model
    save_freq          "epoch", or a number of steps after each of which it writes; {batch} then has a value
    monitor, verbose, mode  see MonitorCallback; read only with save_best_only

    A file is complete or absent: it is written beside its name and then renamed. Missing folders are made.
    """

    filepath: str = argument()
    save_best_only: bool = argument()
    save_weights_only: bool = argument()
    save_freq: str | int = argument()

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
    ) -> None:
        super().__init__(monitor, mode, 0.0, verbose)
        self.filepath = os.fspath(filepath)
        self.save_best_only = flag(save_best_only, "save_best_only")
        self.save_weights_only = flag(save_weights_only, "save_weights_only")
        self.save_freq = save_freq if save_freq == "epoch" else positive(save_freq, "save_freq")
        self._epoch, self._steps = 0, 0

    def check(self, names: Mapping[str, str]) -> None:
        if self.save_best_only:
            super().check(names)
        there = dict.fromkeys(names, 0.0)
        if self.save_freq != "epoch":
            there = {name: 0.0 for name in there if not name.startswith("val_")}
            if self.save_best_only and self.monitor not in there:
                raise ValueError(
                    f"save_freq={self.save_freq} saves between validations, without {self.monitor!r}"
                )
        try:
            self._path(0, 0, there)
        except (LookupError, ValueError, AttributeError) as problem:
            places = ", ".join(["epoch", *(["batch"] if self.save_freq != "epoch" else []), *there])
            raise ValueError(
                f"filepath {self.filepath!r}: {problem} cannot be filled in; there are {places}"
            ) from None
        if not self.save_weights_only:
            saving.loadable_config(self.model, True)  # what no file can hold is refused now

    def _path(self, epoch: int, batch: int, logs: Logs) -> Path:
        places: dict[str, Any] = {**logs, "epoch": epoch + 1}
        if self.save_freq != "epoch":
            places["batch"] = batch + 1
        return Path(self.filepath.format(**places))

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            return
        self._steps += 1
        if self._steps % int(self.save_freq) == 0:
            self._save(batch, logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            self._save(0, logs or {})

    def _save(self, batch: int, logs: Logs) -> None:
        path, best = self._path(self._epoch, batch, logs), self.best
        head = f"\nEpoch {self._epoch + 1}: "
        if self.save_best_only:
            value = logs[self.monitor]
            before = "None" if best is None else f"{best:.5f}"
            if not self.improves(value, best):
                self._say(f"{head}{self.monitor} did not improve from {before}")
                return
            head += f"{self.monitor} improved from {before} to {value:.5f}, "
            self.best = value
        self._say(f"{head}saving model to {path}")
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path, include_optimizer=True)

    def _say(self, text: str) -> None:
        if self.verbose:
            say(text)
