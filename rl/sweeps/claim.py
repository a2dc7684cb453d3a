"""Whose run a folder is: a lock that the operating system holds for a process, and lets go when the process ends, however it ends.

So a claim cannot be stale: nothing has to be cleaned up after a kill, a crash or a power cut. On a folder that several
machines share, the file system carries the lock between them (NFS does; a file system that cannot says so).
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from rl.core.errors import UsageError

NAME = "claim.lock"
PAUSE = 0.05  # seconds between two tries
HELD_BY_ANOTHER = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)


@contextlib.contextmanager
def claimed(folder: Path, patience: float = 0.0) -> Iterator[bool]:
    """`with claimed(folder) as mine:` True when this process alone may work in the folder until the block ends.

    folder    exists
    patience  seconds to wait for another process to end

    Raises UsageError where the file system has no locks.
    """
    with open(folder / NAME, "a+b") as file:
        until = time.monotonic() + patience
        while not (mine := _taken(file)) and time.monotonic() < until:
            time.sleep(PAUSE)
        try:
            yield mine
        finally:
            if mine:
                _release(file)


def _taken(file: IO[bytes]) -> bool:
    try:
        _lock(file)
    except OSError as problem:
        if problem.errno in HELD_BY_ANOTHER:
            return False
        raise UsageError(f"{file.name} cannot be locked: {problem.strerror}", "choose another folder with --out") from None
    return True


if os.name == "nt":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]

    def _release(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined,unused-ignore]

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _release(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
