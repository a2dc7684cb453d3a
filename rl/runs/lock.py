"""One process a run: two that go on with the same run at once would mix their logs and take each other's
files away.

The lock is the operating system's, on the file `lock` in the run's folder, so it ends with its process,
however that ends: there are no stale ones to be cleared. What the file says, process and machine, is for the
one who is turned away.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from rl.command.errors import UsageError

NAME = "lock"
FAR = 1 << 20  # the byte that is locked on Windows: beyond the text, which stays readable


class HeldError(UsageError):
    """Another process has the lock."""


@contextlib.contextmanager
def only_here(folder: Path) -> Iterator[None]:
    """Hold the lock of a run's folder; raises HeldError, a UsageError, when another process does.

    Where the file system knows no locks, nothing is held and nobody turned away.
    """
    held = _take(folder / NAME)
    try:
        yield
    finally:
        if held is not None:
            _give_back(folder / NAME, held)


def _take(path: Path) -> int | None:
    """The open file that is locked; None where that cannot be."""
    while True:
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as problem:
            what = f"cannot write into {path.parent}: {problem.strerror or problem}"
            raise UsageError(what, "make the folder writable, or name another one") from None
        try:
            free = _lock(file)
        except OSError:
            os.close(file)
            return None
        if not free:
            told = _told(path)
            os.close(file)
            raise HeldError(
                f"the run in {path.parent} is going on in {told}",
                "wait for its end, stop it, or name another run",
            )
        if _still_there(path, file):
            os.ftruncate(file, 0)
            os.write(file, f"process {os.getpid()} on {platform.node() or 'this machine'}\n".encode())
            return file
        os.close(file)  # its holder has just removed it: again, on a new one


def _give_back(path: Path, file: int) -> None:
    removed_open = sys.platform != "win32"  # Windows removes no open file
    if removed_open:
        with contextlib.suppress(OSError):
            path.unlink()
    os.close(file)
    if not removed_open:
        with contextlib.suppress(OSError):
            path.unlink()


def _still_there(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(file))
    except FileNotFoundError:
        return False


def _told(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip() or "another process"
    except OSError:
        return "another process"


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> bool:
        """False when somebody else has it; raises OSError where there are no locks."""
        os.lseek(file, FAR, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        finally:
            os.lseek(file, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _lock(file: int) -> bool:
        """False when somebody else has it; raises OSError where there are no locks."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
