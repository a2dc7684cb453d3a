"""`python -m bench.elsewhere`: make the runs that the file does not have yet, one after another.

Seeds are the outermost loop, then environments, then agents: wherever it stops, all have about as many runs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from bench.elsewhere.task import AGENTS, ENVS, Task
from bench.harness import ROOT, environment

OUT = ROOT / "docs" / "results" / "elsewhere.jsonl"
KEY = ("side", "agent", "env", "seed")


def main(argv: list[str] | None = None) -> int:
    """Make the chosen runs; returns the exit code, 1 when a run failed."""
    chosen = arguments().parse_args(argv)
    done = finished(chosen.out)
    tasks = [
        Task(chosen.side, agent, env, seed)
        for seed in chosen.seeds
        for env in chosen.envs
        for agent in chosen.agents or AGENTS[chosen.side]
    ]
    tasks = [task for task in tasks if key_of(vars(task)) not in done]
    failed = 0
    for number, task in enumerate(tasks, 1):
        start = time.perf_counter()
        outcome = make_run(task, chosen.out)
        failed += not outcome
        print(
            f"[{number}/{len(tasks)}] {task.side} {task.agent} {task.env} {task.seed}: "
            f"{outcome or 'failed'}, {time.perf_counter() - start:.0f} s",
            flush=True,
        )
    return 1 if failed else 0


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m bench.elsewhere", description=__doc__)
    parser.add_argument("--side", choices=AGENTS, required=True)
    parser.add_argument("--agents", type=names, metavar="A,B", help="all of the side by default")
    envs = [name for name in ENVS if name != "Catcher"]  # SB3's takes minutes: only when named
    parser.add_argument("--envs", type=names, metavar="A,B", default=envs, help=f"some of {', '.join(ENVS)}")
    parser.add_argument("--seeds", type=seeds, metavar="100:110", default=seeds("100:110"))
    parser.add_argument("--out", type=Path, default=OUT, help="file that receives a line for each run")
    return parser


def names(text: str) -> list[str]:
    """Read A,B."""
    known = {*ENVS, *AGENTS["ours"]}
    unknown = [name for name in text.split(",") if name not in known]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no {unknown[0]!r}; there are {', '.join(sorted(known))}")
    return text.split(",")


def seeds(text: str) -> list[int]:
    """Read FIRST:END, without END itself."""
    first, end = text.split(":")
    return list(range(int(first), int(end)))


def finished(path: Path) -> set[tuple[object, ...]]:
    """The runs that the file has."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {key_of(json.loads(line)) for line in lines}


def key_of(run: dict[str, object]) -> tuple[object, ...]:
    return tuple(run[name] for name in KEY)


def make_run(task: Task, out: Path) -> str:
    """Make a run in a process with one thread, and append its line; returns it in words, "" if it failed."""
    words = [task.side, task.agent, task.env, str(task.seed)]
    child = subprocess.run(
        [sys.executable, "-m", "bench.elsewhere.one", *words],
        cwd=ROOT,
        env=environment(threads=1),
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    if child.returncode:
        print(child.stderr, file=sys.stderr, flush=True)
        return ""
    line = child.stdout.strip().splitlines()[-1]
    with out.open("a", encoding="utf-8", newline="\n") as file:
        file.write(line + "\n")
    run = json.loads(line)
    reached = f"solved at {run['steps_to_solved']:,}" if run["solved"] else f"not solved in {run['steps']:,}"
    return f"{reached}, mean return {run['mean_return']:g}, {run['seconds']:.0f} s of processor"


if __name__ == "__main__":
    sys.exit(main())
