"""numba's compiler for the simulators, and the folder that keeps their machine code.

numba keeps it beside the source, or in the user's cache folder. Where it can write into neither, it gets a
folder of this user alone below the temporary folder: it runs what it finds there, so nobody else may write
into it. Without that one too, every process compiles again.
"""

from __future__ import annotations

import contextlib
import functools
import os
import stat
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba

CONFIG: Any = numba.config  # its names are made when it is imported
REMEDY = "name another folder with NUMBA_CACHE_DIR"


def njit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorate a function: compile it by numba.njit, and keep its machine code for the next process."""

    def decorate(function: Callable[..., Any]) -> Any:
        own, kept = find_folder()
        with numba_folder(own):
            return numba.njit(cache=bool(kept), **options)(function)

    return decorate


@functools.cache
def find_folder() -> tuple[str, str]:
    """Find the folder for machine code, once in a process; warn if there is none.

    Returns (our own; "" where numba has one, the folder; "" if there is none).
    """
    if kept := folder_of_numba():
        return "", kept
    own = private_folder()
    with numba_folder(own):
        kept = folder_of_numba() if own else ""
    if not kept:
        warnings.warn(
            f"no folder for the machine code of the simulators, every process compiles them: {REMEDY}",
            stacklevel=2,
        )
        return "", ""
    return own, kept


def folder_of_numba() -> str:
    """Return the folder in which numba keeps the code of this file; "" if it can write nowhere."""
    try:
        return str(numba.njit(cache=True)(_nothing).stats.cache_path)
    except RuntimeError:
        return ""


def _nothing() -> None:
    """Do nothing: numba looks for a folder as soon as a function is decorated."""


@contextlib.contextmanager
def numba_folder(path: str) -> Iterator[None]:
    """Give numba a folder for the functions decorated in the block; "" leaves it as it is."""
    before = CONFIG.CACHE_DIR
    CONFIG.CACHE_DIR = path or before
    try:
        yield
    finally:
        CONFIG.CACHE_DIR = before


def private_folder() -> str:
    """Return a folder below the temporary folder that only this user can open; "" if there cannot be one.

    Warns when it makes the folder. One that belongs to somebody else, or is open to others, is not used.
    """
    user = os.getuid() if hasattr(os, "getuid") else 0  # Windows: the temporary folder is the user's own
    try:
        path = Path(tempfile.gettempdir()) / f"nnlite-rl-{user}"
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
            warnings.warn(f"the machine code of the simulators is kept in {path}: {REMEDY}", stacklevel=2)
        found = path.lstat()
    except OSError:
        return ""
    mine = not hasattr(os, "getuid") or (found.st_uid == user and not found.st_mode & 0o077)
    return str(path) if stat.S_ISDIR(found.st_mode) and mine else ""
