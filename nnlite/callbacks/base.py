"""Callback, the base of what fit calls between its steps, and the list of those of one training."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from nnlite.attributes import Guarded
from nnlite.description import arguments

HOOKS = (
    "on_train_begin",
    "on_train_end",
    "on_epoch_begin",
    "on_epoch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_begin",
    "on_test_end",
)
Logs = dict[str, float]


class Callback(Guarded):
    """Base of callbacks, with Keras's hooks; a subclass writes those it needs.

    logs    {"loss": ..., metrics, "val_loss": ...}, one dict for all callbacks, which may add to it; in
            on_train_batch_end the means of the epoch so far
    model   the model that trains; setting its `stop_training` ends training after this batch or epoch
    params  {"epochs": ..., "steps": ..., "verbose": ...} of this fit
    adds    names that the callback adds to logs, so that others may monitor them

    A method on_... that is no hook would never be called, so its class is refused.
    """

    model: Any
    params: dict[str, Any]
    adds: tuple[str, ...] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in vars(cls):
            if name.startswith("on_") and name not in HOOKS:
                near = difflib.get_close_matches(name, HOOKS, 1, 0)[0]
                raise TypeError(
                    f"{cls.__name__}.{name} is no hook and would never be called; did you mean {near}?"
                )

    def set_model(self, model: Any) -> None:
        """Take the model that trains; fit calls it first."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Take the numbers of this fit."""
        self.params = params

    def check(self, names: Mapping[str, str]) -> None:
        """Raise ValueError, before the first epoch, if this callback cannot work.

        names  of all values that logs will have, with their direction: "min", "max", or ""
        """

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin a fit."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """End a fit; it is called after an exception too, once on_train_begin was."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Begin an epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """End an epoch, after validation."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Begin a step, counted from 0 in each epoch."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """End a step."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Begin a validation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """End a validation."""

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return arguments(self)


class CallbackList:
    """The callbacks of one fit, in order. A hook of the batches costs nothing where nobody wrote it."""

    def __init__(self, callbacks: Iterable[Callback], model: Any, params: dict[str, Any]) -> None:
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"a callback must be a callbacks.Callback object, not {callback!r}")
        self.begun: list[Callback] = []
        self.each_batch = [
            callback
            for callback in self.callbacks
            for name in ("on_train_batch_begin", "on_train_batch_end")
            if getattr(type(callback), name) is not getattr(Callback, name) or name in vars(callback)
        ]
        self.each_batch = list(dict.fromkeys(self.each_batch))
        for callback in self.callbacks:
            callback.set_model(model)
            callback.set_params(dict(params))

    def check(self, names: Mapping[str, str]) -> None:
        """Let every callback look at the names that logs will have."""
        every = {**names, **{name: "" for callback in self.callbacks for name in callback.adds}}
        for callback in self.callbacks:
            callback.check(every)

    def begin(self) -> None:
        """Call on_train_begin of each."""
        for callback in self.callbacks:
            self.begun.append(callback)
            callback.on_train_begin({})

    def end(self, logs: Logs) -> None:
        """Call on_train_end of each that has begun, in order, also if one of them raises."""
        with contextlib.ExitStack() as stack:
            for callback in reversed(self.begun):
                stack.callback(callback.on_train_end, logs)

    def call(self, hook: str, *given: Any) -> None:
        """Call this hook of each."""
        for callback in self.callbacks:
            getattr(callback, hook)(*given)


def listed(given: Any) -> list[Callback]:
    """Return one callback or several as a list; None is none."""
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]
