"""The number of threads that compute."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from nnlite_ext import _threads
from threadpoolctl import threadpool_limits


def use_threads(count: int) -> None:
    """Give the kernels `count` threads (0: one per core) and BLAS one thread: two pools would compete."""
    _threads.set_num_threads(count or min(os.cpu_count() or 1, _threads.MOST_THREADS))
    threadpool_limits(1, user_api="blas")


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Do `use_threads(count)` for a block, then restore the number of threads before it."""
    before = _threads.get_num_threads()
    with threadpool_limits(1, user_api="blas"):
        _threads.set_num_threads(count or min(os.cpu_count() or 1, _threads.MOST_THREADS))
        try:
            yield
        finally:
            _threads.set_num_threads(before)
