"""Ray, where it is wanted: its import, and the connection to a cluster."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from rl.command.errors import UsageError

OBJECT_STORE = 256 << 20  # bytes of shared memory of a cluster of our own: weights and segments under way
QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
LOOPBACK = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"
}  # the default on Windows and macOS; elsewhere Ray listens to every machine
UNASKED = {"RAY_USAGE_STATS_ENABLED": "0"}  # Ray would report its use to its makers


def ray_module(local: bool) -> ModuleType:
    """Ray; raises UsageError when it is not installed.

    local  a cluster that is started will be reached from this machine only
    """
    for name, value in {**UNASKED, **(LOOPBACK if local else {})}.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ModuleNotFoundError:
        raise UsageError(
            "--actors needs Ray, which is not installed", "pip install '.[ray]', or leave --actors away"
        ) from None
    return ray


def connect(ray: ModuleType, address: str, cores: int) -> bool:
    """Connect to the cluster at this address, or start one of so many cores on this machine; False when that
    was done before.

    Raises UsageError when there is no cluster at the address.
    """
    if ray.is_initialized():
        return False
    with our_own_signals():
        if not address:
            ray.init(num_cpus=cores, include_dashboard=False, object_store_memory=OBJECT_STORE, **QUIET)
            return True
        try:
            ray.init(address=address, **QUIET)
        except (ConnectionError, ValueError, RuntimeError) as problem:
            what = " ".join(str(problem).split())
            raise UsageError(
                f"no Ray cluster at {address}: {what}",
                "start one (ray start --head), or leave --ray-address away",
            ) from None
    return True


@contextlib.contextmanager
def our_own_signals() -> Iterator[None]:
    """Leave SIGTERM to whoever handled it before: Ray would end the process, and a run could not write its
    checkpoint.
    """
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
