"""A process that does the work of one package and times it on request of `Worker` in harness.py.

Each package has its own process, so its thread pool, allocator and BLAS settings cannot disturb another; a
process without a request sleeps. Requests and answers are JSON lines:

    {"make": [module, function, threads, arguments]}   ->  {"ready": number, "parameters": n, "amount": a}
                                                       or  {"absent": why}
    {"time": number, "seconds": s}                     ->  {"seconds": [of one call, for each sample]}
"""

from __future__ import annotations

import gc
import importlib
import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from bench.questions import Work

SAMPLE = 1e-3  # seconds: shorter calls are timed several at a time
WARM_SECONDS, WARM_CALLS = 0.2, 5


def time_calls(step: Callable[[], object], calls: int) -> float:
    """Return the mean seconds of `calls` calls."""
    repeat = itertools.repeat(None, calls)
    start = time.perf_counter()
    for _ in repeat:
        step()
    return (time.perf_counter() - start) / calls


def warm_up(step: Callable[[], object]) -> int:
    """Call until compilers, caches and buffers have settled; returns the number of calls of one sample."""
    start, done = time.perf_counter(), 0
    while True:
        seconds = time_calls(step, 1)
        done += 1
        spent = time.perf_counter() - start
        if spent > WARM_SECONDS and (done >= WARM_CALLS or spent > 10 * WARM_SECONDS):
            return max(1, round(SAMPLE / max(seconds, 1e-8)))


def samples_of(step: Callable[[], object], calls: int, seconds: float) -> list[float]:
    """Take samples for `seconds`; the first one fills caches and counts only if it takes all the time."""
    gc.collect()
    until = time.perf_counter() + seconds
    found = [time_calls(step, calls)]
    if time.perf_counter() < until:
        found = [time_calls(step, calls)]
    while time.perf_counter() < until:
        found.append(time_calls(step, calls))
    return found


def main(requests: TextIO, answers: TextIO) -> None:
    """Answer requests until the input ends."""
    made: list[tuple[Work, int]] = []
    for line in requests:
        request = json.loads(line)
        answer: dict[str, Any]
        if "make" in request:
            module, function, threads, arguments = request["make"]
            try:
                work = getattr(importlib.import_module(module), function)(threads, *arguments)
                made.append((work, warm_up(work.step)))
                answer = {"ready": len(made) - 1, "parameters": work.parameters, "amount": work.amount}
            except Exception as problem:  # one variant that fails must not stop the others
                answer = {"absent": " ".join(f"{type(problem).__name__}: {problem}".split())[:200]}
        else:
            work, calls = made[request["time"]]
            answer = {"seconds": samples_of(work.step, calls, request["seconds"])}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def limit_cores(threads: int) -> None:
    """Restrict this process to `threads` cores; thread pools take their size from it."""
    if hasattr(os, "sched_setaffinity"):
        mine = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, set(mine[-threads:]))


if __name__ == "__main__":
    limit_cores(int(sys.argv[1]))
    private = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # output of packages must not mix with the answers
    main(sys.stdin, private)
