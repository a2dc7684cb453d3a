"""Lock a run's folder, so that only one process works in it.

Two processes that resume the same run would mix their logs and delete each other's files. The lock is held by
the operating system on the file `lock`; it ends with its process, so stale locks do not exist. The file holds
process id and machine, for the error message of the process that is refused.
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
FAR = 1 << 20  # position of the byte that is locked on Windows: beyond the text, which stays readable


class HeldError(UsageError):
    """Another process holds the lock."""


@contextlib.contextmanager
def hold_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a run's folder; raises HeldError, a UsageError, when another process holds it.

    On a file system without locks nothing is held and no process is refused.
    """
    held = _acquire(folder / NAME)
    try:
        yield
    finally:
        if held is not None:
            _release(folder / NAME, held)


def _acquire(path: Path) -> int | None:
    """Open and lock the file; None on a file system without locks."""
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
            holder = _read_holder(path)
            os.close(file)
            raise HeldError(
                f"the run in {path.parent} is going on in {holder}",
                "wait for its end, stop it, or name another run",
            )
        if _is_current(path, file):
            os.ftruncate(file, 0)
            os.write(file, f"process {os.getpid()} on {platform.node() or 'this machine'}\n".encode())
            return file
        os.close(file)  # the previous holder has just removed it: try again with a new file


def _release(path: Path, file: int) -> None:
    can_remove_open = sys.platform != "win32"
    if can_remove_open:
        with contextlib.suppress(OSError):
            path.unlink()
    os.close(file)
    if not can_remove_open:
        with contextlib.suppress(OSError):
            path.unlink()


def _is_current(path: Path, file: int) -> bool:
    """Whether the path still names the open file."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(file))
    except FileNotFoundError:
        return False


def _read_holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip() or "another process"
    except OSError:
        return "another process"


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> bool:
        """Lock the file; False when another process holds it. Raises OSError where there are no locks."""
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
        """Lock the file; False when another process holds it. Raises OSError where there are no locks."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
