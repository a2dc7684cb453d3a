"""What joblib calls on a worker, here or on another machine: hand the job to the worker's child, start that
when needed.

One child for each thread that works: a process of Dask may have several. A child that died is replaced with
the next job.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from typing import Any

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
DIED, STOPPED = "died", "stopped"

_children: dict[int, subprocess.Popen[str]] = {}  # by thread


def perform(job: dict[str, Any]) -> dict[str, Any]:
    """Do the job; {"key", "state"}, and for a child that died {"code"}: its exit code, -9 where it was
    killed by signal 9.
    """
    if os.path.exists(job["stop"]):
        return {"key": job["key"], "state": STOPPED}
    _leave_ctrl_c_to_the_sweep()
    child = _child()
    try:
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(json.dumps(job) + "\n")
        child.stdin.flush()
        reply = child.stdout.readline()
    except OSError:
        reply = ""
    if reply:
        return {"key": job["key"], **json.loads(reply)}
    del _children[threading.get_ident()]
    return {"key": job["key"], "state": DIED, "code": child.wait()}


def _leave_ctrl_c_to_the_sweep() -> None:
    """A terminal sends it to all its processes, a worker that dies of it would take its run with it."""
    if (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    ):
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _child() -> subprocess.Popen[str]:
    thread = threading.get_ident()
    if thread not in _children or _children[thread].poll() is not None:
        _children[thread] = subprocess.Popen(
            [sys.executable, "-m", "rl.sweeps.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={
                **os.environ,
                **dict.fromkeys(ONE_THREAD, "1"),
                "PYTHONPATH": os.pathsep.join(sys.path),
                "PYTHONIOENCODING": "utf-8",
            },
            start_new_session=True,  # Ctrl-C is for the sweep, which has its own way to stop the runs
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same on Windows
        )
    return _children[thread]


def dismiss() -> None:
    """End the children of this process."""
    for child in _children.values():
        if child.stdin is not None:
            child.stdin.close()
    _children.clear()
