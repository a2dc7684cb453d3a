"""Ctrl-C and SIGTERM as a wish that is granted between two steps, when everything that is kept fits together.

The first signal is noted; the loop looks at `received` and stops in good order. A second one stops at once.
Where nothing can be spoilt, in an evaluation for example, `at_once` lets the first one stop at once too.
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
    """A run stopped in good order; its text says how to go on, its code is the process's exit code: 128 +
    signal.
    """

    def __init__(self, number: int, text: str = "interrupted") -> None:
        super().__init__(text)
        self.number = number
        self.code = 128 + number


class StopSignals:
    """`with StopSignals() as stop:` around a loop that looks at stop.received (None, or the signal's number).

    Python delivers signals to the main thread only; in any other one nothing changes.
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
        """A signal in here raises KeyboardInterrupt, the first one already."""
        self._immediate = True
        try:
            if self.received is not None:
                raise KeyboardInterrupt
            yield
        finally:
            self._immediate = False
