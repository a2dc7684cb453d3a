"""Keras's progress line: a bar that moves on a terminal, the time, and the means so far."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from nnlite.terminal import is_terminal, say

NOTHING: Mapping[str, float] = {}


def verbosity(value: Any) -> int:
    """Return Keras's `verbose` as a number: 0 silent, 1 a bar, 2 a line. "auto" and True are 1."""
    if value == "auto":
        return 1
    if not isinstance(value, (bool, int)) or value not in (0, 1, 2):
        raise ValueError(f"verbose must be 0, 1, 2 or 'auto', not {value!r}")
    return int(value)


class Progress:
    """The line of one epoch, or of one evaluation, of `steps` batches; None if nobody knows how many."""

    def __init__(self, steps: int | None, verbose: int) -> None:
        self.steps, self.verbose, self.done, self.start = steps, verbose, 0, time.perf_counter()
        self.moving = verbose == 1 and is_terminal()
        self.shown = 0.0

    def step(self, values: Mapping[str, float]) -> None:
        """Count one more batch; `values` are the means so far."""
        self.done += 1
        now = time.perf_counter()
        if self.moving and now - self.shown > 0.05 and self.done != self.steps:
            self.shown = now
            say("\r" + self._line(values), end="")

    def finish(self, values: Mapping[str, float] = NOTHING) -> None:
        """Print the last line, of all batches."""
        self.done = self.done if self.steps is None else self.steps
        if self.verbose:
            say(("\r" if self.moving else "") + self._line(values))

    def _line(self, values: Mapping[str, float]) -> str:
        spent = time.perf_counter() - self.start
        head = self._head() if self.verbose == 1 else ""
        time_taken = f"{spent:.0f}s {_duration(spent / max(self.done, 1))}/step"
        return head + " - ".join([time_taken, *(f"{name}: {value:.4f}" for name, value in values.items())])

    def _head(self) -> str:
        if self.steps is None:
            return f"{self.done}/Unknown - "
        filled = 30 * self.done // self.steps
        bar = "=" * filled if filled == 30 else "=" * filled + ">" + "." * (29 - filled)
        return f"{self.done}/{self.steps} [{bar}] - "


def _duration(seconds: float) -> str:
    """Format 0.0004 as 400us, 0.02 as 20ms, 3.1 as 3s: whole numbers, as Keras does."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f}us"
    return f"{seconds * 1e3:.0f}ms" if seconds < 1 else f"{seconds:.0f}s"
