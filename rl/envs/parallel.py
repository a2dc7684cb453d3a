"""Independent rows of work, shared between the cores by compiled functions that do not hold the GIL."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def over_rows(work: Callable[[slice], object], rows: int, num_threads: int = 1) -> None:
    """Call `work(slice)` for adjacent slices that together cover 0..rows, one in each thread.

    num_threads  0 = all cores

    Rows must not depend on one another: then the result is the same for every number of threads. An exception
    in one slice is raised here.
    """
    count = min(num_threads or os.cpu_count() or 1, rows)
    if count <= 1:
        work(slice(0, rows))
        return
    edges = [rows * i // count for i in range(count + 1)]
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(work, [slice(a, b) for a, b in zip(edges, edges[1:])]))
