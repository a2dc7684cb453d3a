"""Actors, machines and the learner die while DQN learns: `python -m tests.tools.fleet catcher`, or
`cartpole`; needs Linux and Ray.

A cluster of Ray nodes on this machine, one for the learner, two with two actors each, all on the loopback
address. The learner is `python -m rl.dqn --actors 4 --ray-address ...`, in a process of its own. As its steps
go on:

    1  an actor's process gets SIGKILL          it is replaced
    2  all processes of a node get SIGKILL      two actors play on, two wait for a core
    3  a new node joins                         four play again
    4  the learner gets SIGKILL                 its actors end; --resume goes on from the last checkpoint

Then the resumed run must solve its environment and leave all that a run leaves, which --play shows. Prints
what happened as JSON; exit code 1 unless all of it did.
"""

import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.processes import descendants, wait_until

os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}

# the environment's flags, the steps at which 1, 2, 3, 4 happen, and the limit in seconds
CATCHER = "--keep-going --total-timesteps 30000 --save-freq 2000"
CARTPOLE = "--test --keep-going --total-timesteps 80000 --save-freq 4000 --eval-freq 4000"
WORLDS = {
    "catcher": (CATCHER.split(), (2_000, 5_000, 8_000, 12_000), 1_200),
    "cartpole": (CARTPOLE.split(), (1_100, 8_000, 16_000, 30_000), 300),
}
TABLES = ["config.json", "progress.csv", "monitor.csv", "result.json"]
LEFT = [*TABLES, "best.safetensors", "last.safetensors", "reward.png", "replay.html"]
REPLACED = "another one takes its place"


class Run:
    """A learner in its own process."""

    def __init__(self, out: Path, words: list[str]) -> None:
        self.out = out
        self.log = tempfile.TemporaryFile("w+", encoding="utf-8")
        command = [sys.executable, "-m", "rl.dqn", "--out", str(out), "--num-threads", "1", *words]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)

    @property
    def folder(self) -> Path | None:
        return next(iter(self.out.glob("dqn__*")), None)

    def last(self, column: str) -> float:
        """The newest number of this column of progress.csv."""
        if self.folder is None or not (self.folder / "progress.csv").exists():
            return 0
        with open(self.folder / "progress.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return float(rows[-1][column] or 0) if rows else 0

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def wait_for(self, what: str, holds: Callable[[], bool], seconds: float) -> None:
        """Return when it holds; RuntimeError when it does not in that time, or the learner ends before."""
        until = time.time() + seconds
        while not holds():
            if time.time() > until or self.process.poll() is not None:
                code = self.process.poll()
                raise RuntimeError(f"not seen: {what}; the learner's exit code is {code}\n{self.said()}")
            time.sleep(0.2)

    @property
    def steps(self) -> float:
        return self.last("time/total_timesteps")

    def see_playing(self, actors: int, seconds: float) -> float:
        """Wait for a new row in which this number of actors play; returns its step."""
        before, playing = self.steps, lambda: self.last("actors/playing") == actors
        self.wait_for(f"{actors} actors play", lambda: self.steps > before and playing(), seconds)
        return self.steps

    def see_replaced(self, actors: int, seconds: float) -> None:
        self.wait_for(f"{actors} replaced", lambda: self.said().count(REPLACED) == actors, seconds)

    def reach(self, steps: int, seconds: float) -> None:
        self.wait_for(f"step {steps:,}", lambda: self.steps >= steps, seconds)


def actors_of(node: Any) -> list[int]:
    """The processes of the actors on a node."""
    raylet = node.all_processes["raylet"][0].process.pid
    return [pid for pid, command in descendants(raylet).items() if command.startswith("ray::Actor")]


def main() -> int:
    """Build the cluster, let the run live through it all, print what happened; returns the exit code."""
    from ray.cluster_utils import Cluster

    words, (first, second, third, fourth), limit = WORLDS[sys.argv[1]]
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    nodes = [cluster.add_node(num_cpus=2) for _ in range(2)]
    told: dict[str, Any] = {"nodes": 3, "address": cluster.address}
    try:
        with tempfile.TemporaryDirectory() as name:
            run = Run(Path(name), ["--actors", "4", "--ray-address", cluster.address, *words])
            run.reach(first, limit)
            os.kill(actors_of(nodes[0])[0], signal.SIGKILL)
            run.see_replaced(1, limit)
            told["actor killed, four play again at step"] = run.see_playing(4, limit)
            run.reach(second, limit)
            cluster.remove_node(nodes.pop(), allow_graceful=False)
            run.see_replaced(3, limit)
            told["node killed, two play on at step"] = run.see_playing(2, limit)
            run.reach(third, limit)
            nodes.append(cluster.add_node(num_cpus=2))
            told["new node, four play again at step"] = run.see_playing(4, limit)
            run.reach(fourth, limit)
            run.process.kill()
            run.process.wait()
            told["learner killed at step"] = run.steps
            wait_until(lambda: not any(actors_of(node) for node in nodes))
            told["actors left behind"] = sum(len(actors_of(node)) for node in nodes)
            again = Run(Path(name), ["--resume"])
            told["exit code of --resume"] = again.process.wait(limit)
            assert again.folder is not None
            told["resumed"] = next(line for line in again.said().splitlines() if line.startswith("resumed"))
            told["result"] = json.loads((again.folder / "result.json").read_text(encoding="utf-8"))
            told["missing"] = [file for file in LEFT if not (again.folder / file).is_file()]
            told["exit code of --play"] = Run(Path(name), ["--play"]).process.wait(limit)
    finally:
        cluster.shutdown()
    print(json.dumps(told, indent=2))
    bad = [told["exit code of --resume"], told["exit code of --play"], told["actors left behind"]]
    return int(any(bad) or bool(told["missing"]) or told["result"]["solved_at"] is None)


if __name__ == "__main__":
    sys.exit(main())
