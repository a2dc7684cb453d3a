"""The base of callbacks that watch one value of logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnlite.attributes import checked
from nnlite.callbacks.base import Callback
from nnlite.utils import is_whole, real

MODES = ("auto", "min", "max")


def whole(value: Any, what: str) -> int:
    """Return an integer >= 0."""
    if not is_whole(value) or value < 0:
        raise ValueError(f"{what} must be a whole number >= 0, not {value!r}")
    return int(value)


def known_mode(value: Any, what: str) -> str:
    """Return "auto", "min" or "max"."""
    if value not in MODES:
        raise ValueError(f"{what} must be one of {', '.join(MODES)}, not {value!r}")
    return str(value)


class MonitorCallback(Callback):
    """Base of callbacks that compare a value of logs with its best so far.

    monitor    the value's name in logs
    mode       "min" or "max" is better; "auto": as the metric says
    min_delta  a smaller change is no improvement
    verbose    1 prints a line for what is done
    """

    monitor: str
    mode: str = checked(known_mode)
    min_delta: float = checked(lambda value, what: abs(real(value, what)))
    verbose: int = checked(whole)
    best: float | None

    def __init__(self, monitor: str, mode: str, min_delta: float, verbose: int) -> None:
        self.monitor, self.mode, self.min_delta, self.verbose = monitor, mode, min_delta, int(verbose)
        self.best = None
        self._sign = 1.0  # -1: more is better

    def check(self, names: Mapping[str, str]) -> None:
        who = type(self).__name__
        if self.monitor not in names:
            hint = "; give validation_data" if self.monitor.startswith("val_") else ""
            raise ValueError(f"{who} monitors {self.monitor!r}, but there are {', '.join(names)}{hint}")
        direction = names[self.monitor] if self.mode == "auto" else self.mode
        if not direction:
            raise ValueError(
                f"{who} cannot know whether more {self.monitor!r} is better; give mode='min' or 'max'"
            )
        self._sign = 1.0 if direction == "min" else -1.0

    def improves(self, value: float, on: float | None) -> bool:
        """Is the value better than another by more than min_delta? Anything is better than None."""
        return on is None or self._sign * value + self.min_delta < self._sign * on
