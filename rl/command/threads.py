"""How many threads compute."""

from __future__ import annotations

import os

from rl.command.settings import MOST_THREADS


def use_threads(count: int) -> None:
    """Give the kernels so many threads (0 = one for each core) and hold BLAS to one: two pools would fight
    for the cores.
    """
    from nnlite_ext import _threads
    from threadpoolctl import threadpool_limits

    _threads.set_num_threads(count or min(os.cpu_count() or 1, MOST_THREADS))
    threadpool_limits(1, user_api="blas")
