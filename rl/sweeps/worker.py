"""The function that joblib calls on a worker, on this or another machine: pass the job to a child process.

Every working thread has its own child (a Dask process may have several threads). A child that died is
replaced when the next job comes.
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
    """Do the job; returns {"key", "state"}.

    If the child died, the answer has its exit code as "code": -9 if signal 9 killed it.
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
    """Ignore Ctrl-C, which a terminal sends to all its processes: a worker that died would lose its run."""
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
            start_new_session=True,  # Ctrl-C must reach only the sweep, which stops the runs itself
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same on Windows
        )
    return _children[thread]


def dismiss() -> None:
    """End the children of this process."""
    for child in _children.values():
        if child.stdin is not None:
            child.stdin.close()
    _children.clear()
