"""Callbacks that keep the numbers of a training, and one made of functions."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nnlite.attributes import argument
from nnlite.callbacks.base import HOOKS, Callback, Logs
from nnlite.utils import flag


class History(Callback):
    """Means of every epoch: history["loss"][e], likewise the metrics, and "val_..." of validation data."""

    epoch: list[int]
    history: dict[str, list[float]]

    def __init__(self) -> None:
        self.epoch, self.history = [], {}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch, self.history = [], {}

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def __repr__(self) -> str:
        last = ", ".join(f"{name}={values[-1]:.4g}" for name, values in self.history.items())
        return f"History({len(self.epoch)} epochs; last: {last})" if self.epoch else "History(0 epochs)"


class CSVLogger(Callback):
    """Write the logs of every epoch as a line of a file, which is complete after each epoch.

    separator  between the values
    append     continue the file, without a second header; else it is overwritten

    Columns are "epoch" and the names of the first epoch's logs, sorted, as in Keras.
    """

    filename: str = argument()
    separator: str = argument()
    append: bool = argument()

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError(f"separator must be one character, not {separator!r}")
        self.filename, self.separator = os.fspath(filename), separator
        self.append = flag(append, "append")
        self._file: Any = None
        self._columns: list[str] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        path = Path(self.filename)
        self._columns = []
        if self.append and path.exists() and path.stat().st_size > 0:
            with path.open(newline="", encoding="utf-8") as file:
                self._columns = next(csv.reader(file, delimiter=self.separator))
        self._file = path.open("a" if self.append else "w", newline="", encoding="utf-8")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        row: dict[str, Any] = {"epoch": epoch, **logs}
        write = csv.writer(self._file, delimiter=self.separator).writerow
        if not self._columns:
            self._columns = ["epoch", *sorted(logs)]
            write(self._columns)
        if set(row) != set(self._columns):
            raise ValueError(
                f"{self.filename} has the columns {', '.join(self._columns)}, not {', '.join(row)}; "
                "give another file"
            )
        write([row[name] for name in self._columns])
        self._file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class LambdaCallback(Callback):
    """A callback made of functions: LambdaCallback(on_epoch_end=lambda epoch, logs: print(logs))."""

    def __init__(self, **hooks: Callable[..., Any]) -> None:
        for name, function in hooks.items():
            if name not in HOOKS:
                raise TypeError(f"LambdaCallback has no argument {name!r}; there are {', '.join(HOOKS)}")
            if not callable(function):
                raise TypeError(f"{name} must be a function, not {function!r}")
            setattr(self, name, function)
