"""Claim the folder of a job: try its lock (rl.runs.lock) for a while instead of failing at once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from rl.runs.lock import HeldError, hold_lock

PAUSE = 0.05  # seconds between two tries


@contextlib.contextmanager
def claim(folder: Path, patience: float = 0.0) -> Iterator[bool]:
    """`with claim(folder) as mine:` holds the lock of an existing folder; False if another process holds it.

    patience  seconds to wait for the other process to end
    """
    until = time.monotonic() + patience
    with contextlib.ExitStack() as stack:
        mine = False
        while not mine:
            try:
                stack.enter_context(hold_lock(folder))
                mine = True
            except HeldError:
                if time.monotonic() >= until:
                    break
                time.sleep(PAUSE)
        yield mine
