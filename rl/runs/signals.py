"""Turn Ctrl-C and SIGTERM into a request to stop after the current step, when the state is consistent.

The first signal is recorded; the loop checks `received` and stops. A second one stops at once. `at_once`
makes the first one stop at once too, where no state can be damaged: in an evaluation, for example.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """A signal stopped the run after a step. The text says how to resume it.

    code  the exit code of the process: 128 + signal
    """

    def __init__(self, number: int, text: str = "interrupted") -> None:
        super().__init__(text)
        self.number = number
        self.code = 128 + number


class StopSignals:
    """`with StopSignals() as stop:` around a loop that checks stop.received (None, or the signal's number).

    Python delivers signals to the main thread only; in other threads this does nothing.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._immediate = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *problem: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _note(self, number: int, frame: FrameType | None) -> None:
        again, self.received = self.received is not None, self.received or number
        if again or self._immediate:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Let the first signal raise KeyboardInterrupt inside this block."""
        self._immediate = True
        try:
            if self.received is not None:
                raise KeyboardInterrupt
            yield
        finally:
            self._immediate = False
