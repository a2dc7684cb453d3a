"""Other processes and threads: how tests start them, wait for them and find them."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def run_python(
    *words: object, code: int = 0, cwd: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, by default the tree's, one thread for BLAS; it must exit with `code`."""
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def start_python(*words: object) -> subprocess.Popen[str]:
    """Start Python in the root of the tree; all that it prints arrives at `stdout`."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen([sys.executable, *map(str, words)], cwd=ROOT, encoding="utf-8", **pipes)


def wait_until(holds: Callable[[], Any], seconds: float = 60) -> None:
    """Return as soon as it holds, or after this time."""
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.05)


def run_at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Run every job in a thread of its own, all started together; returns their results."""
    start, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def work(index: int) -> None:
        start.wait()
        results[index] = jobs[index]()

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def descendants(root: int) -> dict[int, str]:
    """{process: its command line} of every process below this one (Linux)."""
    parents, lines = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            stat, line = (path / "stat").read_bytes(), (path / "cmdline").read_bytes()
        except OSError:
            continue  # it has just ended
        parents[int(path.name)] = int(stat.rpartition(b")")[2].split()[1])
        lines[int(path.name)] = line.replace(b"\0", b" ").decode(errors="replace")
    below, found = {root}, {root}
    while found:
        found = {pid for pid, parent in parents.items() if parent in below} - below
        below |= found
    return {pid: lines[pid] for pid in below - {root}}
