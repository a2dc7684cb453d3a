"""Backends that execute the runs of a sweep: joblib's loky on this machine, a Dask cluster, a Ray cluster."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import joblib

from rl.command.errors import UsageError
from rl.sweeps import worker

BACKENDS = ("loky", "dask", "ray")
ANSWER_SECONDS = 10
Map = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]  # jobs -> answers of `worker.perform`


@contextlib.contextmanager
def connect(backend: str, address: str, count: int) -> Iterator[tuple[Map, int]]:
    """`with connect("dask", "tcp://...:8786", 0) as (perform_all, workers):`

    address  of the cluster's scheduler; "" starts a cluster on this machine
    count    jobs at the same time; 0 = all cores

    Raises UsageError when the extra is not installed or no scheduler answers at the address.
    """
    with {"loky": _loky, "dask": _dask, "ray": _ray}[backend](address, count) as (options, workers):

        def perform_all(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
            with joblib.parallel_config(**options):
                tasks = (joblib.delayed(worker.perform)(job) for job in jobs)
                return joblib.Parallel(n_jobs=workers, batch_size=1, pre_dispatch="2*n_jobs")(tasks)

        yield perform_all, workers


@contextlib.contextmanager
def _loky(address: str, count: int) -> Iterator[tuple[dict[str, Any], int]]:
    yield {"backend": "loky", "inner_max_num_threads": 1}, count or os.cpu_count() or 1


@contextlib.contextmanager
def _dask(address: str, count: int) -> Iterator[tuple[dict[str, Any], int]]:
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("Dask is not installed", "pip install '.[dask]'") from None
    try:
        own = {"n_workers": count or os.cpu_count(), "threads_per_worker": 1, "dashboard_address": None}
        client = Client(address, timeout=ANSWER_SECONDS) if address else Client(**own)
    except (OSError, ValueError) as problem:
        raise UsageError(
            f"no Dask scheduler answers at {address}: {problem}", "start one: dask scheduler"
        ) from None
    with client:
        cores = sum(client.nthreads().values())
        try:
            yield {"backend": "dask"}, count or max(cores, 1)
        finally:  # the workers live on; end their children
            with contextlib.suppress(Exception):  # no cluster, no children
                client.run(worker.dismiss)


@contextlib.contextmanager
def _ray(address: str, count: int) -> Iterator[tuple[dict[str, Any], int]]:
    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError:
        raise UsageError("Ray is not installed", "pip install '.[ray]'") from None
    try:
        own = {"num_cpus": count or None, "include_dashboard": False}
        ray.init(
            log_to_driver=False, logging_level=logging.ERROR, **({"address": address} if address else own)
        )
    except (ConnectionError, ValueError, RuntimeError) as problem:
        reason = str(problem).splitlines()[0]
        raise UsageError(
            f"no Ray cluster answers at {address}: {reason}", "start one: ray start --head"
        ) from None
    try:
        register_ray()
        yield {"backend": "ray"}, count or int(ray.cluster_resources().get("CPU", 1))
    finally:
        ray.shutdown()
