"""Import Ray and connect to a cluster."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from rl.command.errors import UsageError

OBJECT_STORE = 256 << 20  # bytes of shared memory, for weights and segments, in a cluster started here
QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
# Ray accepts connections from this machine only, as it does by default on Windows and macOS.
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
NO_STATISTICS = {"RAY_USAGE_STATS_ENABLED": "0"}  # by default Ray reports its use to its makers


def import_ray(local: bool) -> ModuleType:
    """Import Ray; raises UsageError when it is not installed.

    local  a cluster started here accepts connections from this machine only
    """
    for name, value in {**NO_STATISTICS, **(LOOPBACK if local else {})}.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ModuleNotFoundError:
        remedy = "pip install '.[ray]', or leave --actors away"
        raise UsageError("--actors needs Ray, which is not installed", remedy) from None
    return ray


def connect(ray: ModuleType, address: str, cores: int) -> bool:
    """Connect to a cluster; returns False if this process is already connected.

    address  of a running cluster; if empty, one with `cores` cores is started on this machine

    Raises UsageError when there is no cluster at the address.
    """
    if ray.is_initialized():
        return False
    with keep_sigterm():
        if not address:
            ray.init(num_cpus=cores, include_dashboard=False, object_store_memory=OBJECT_STORE, **QUIET)
            return True
        try:
            ray.init(address=address, **QUIET)
        except (ConnectionError, ValueError, RuntimeError) as problem:
            what = f"no Ray cluster at {address}: {' '.join(str(problem).split())}"
            remedy = "start one (ray start --head), or leave --ray-address away"
            raise UsageError(what, remedy) from None
    return True


@contextlib.contextmanager
def keep_sigterm() -> Iterator[None]:
    """Restore the handler of SIGTERM at the end.

    Ray installs one that ends the process, so that a run could not write its checkpoint.
    """
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
