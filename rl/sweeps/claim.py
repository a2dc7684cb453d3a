"""Whose job a folder is: the lock of rl.runs.lock, waited for instead of complained about."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from rl.runs.lock import HeldError, only_here

PAUSE = 0.05  # seconds between two tries


@contextlib.contextmanager
def claimed(folder: Path, patience: float = 0.0) -> Iterator[bool]:
    """`with claimed(folder) as mine:` True when this process alone may work in the folder until the block
    ends.

    folder    exists
    patience  seconds to wait for another process to end
    """
    until = time.monotonic() + patience
    with contextlib.ExitStack() as stack:
        mine = False
        while not mine:
            try:
                stack.enter_context(only_here(folder))
                mine = True
            except HeldError:
                if time.monotonic() >= until:
                    break
                time.sleep(PAUSE)
        yield mine
