"""The same sweep on this machine, on a Dask cluster of two workers, and on a Ray cluster of two nodes: equal
tables.

python -m tests.tools.sweep_clusters dask ray
"""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.tools.sweep_kills import command, table

RUNS = ["value_function", "--seeds", "0:4", "--set", "gamma=0.98,0.95"]


def swept(*more: str) -> list[dict[str, str]]:
    """The table of the sweep, without the times."""
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(command(Path(out), *RUNS, *more), check=True, stdout=subprocess.DEVNULL)
        return table(Path(out))


@contextlib.contextmanager
def dask() -> Iterator[str]:
    """The address of a scheduler with two workers, each a process of its own."""
    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scheduler.json"
        common = ["--scheduler-file", str(file), "--no-dashboard"]
        worker = ["dask_worker", "--nthreads", "1", "--local-directory", folder]
        for name, *words in (["dask_scheduler", "--port", "0"], worker, worker):
            command = [sys.executable, "-m", f"distributed.cli.{name}", *words, *common]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        from distributed import Client

        with Client(scheduler_file=str(file)) as client:
            client.wait_for_workers(2)
            address = client.scheduler.address
        yield address


@contextlib.contextmanager
def ray() -> Iterator[str]:
    """The address of a cluster of two nodes."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        yield cluster.address
    finally:
        cluster.shutdown()


def main(names: list[str]) -> int:
    """0 when all tables are equal."""
    here = swept()
    equal = True
    for name in names:
        with {"dask": dask, "ray": ray}[name]() as address:
            same = swept("--backend", name, "--address", address) == here
        print(f"{name}: {'the same table' if same else 'ANOTHER TABLE'}", flush=True)
        equal &= same
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
