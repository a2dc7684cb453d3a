"""`python -m rl sweep ARTICLE --seeds 0:20 --set NAME=V1,V2`: many runs in parallel, one table of results.

Every combination of the --set values runs with every seed. Each run has its own folder and gives the same
result as its own command with one thread. If the sweep stops, ended runs are kept and --resume does the rest.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from rl.articles import module_of
from rl.command.errors import UsageError, require
from rl.command.settings import NEWEST, RunName
from rl.command.text import fit
from rl.runs import run_folder
from rl.runs.signals import Interrupted, StopSignals
from rl.sweeps import plan as plans
from rl.sweeps.backends import Map, connect
from rl.sweeps.child import OUTPUT
from rl.sweeps.conductor import Conductor
from rl.sweeps.display import Display
from rl.sweeps.plan import Plan
from rl.sweeps.record import FAILED
from rl.tools.command import run_tool

EXAMPLES = (
    "python -m rl sweep value_function --seeds 0:20",
    "python -m rl sweep dqn --test --seeds 0:10 --set learning-rate=1e-4,5e-4 --set double=true,false",
    "python -m rl sweep --resume",
    "python -m rl sweep dqn --seeds 0:100 --backend dask --address tcp://192.168.0.1:8786 --out /shared/runs",
)


@dataclass(frozen=True)
class Settings:
    """Which runs, and where they are executed."""

    article: Annotated[Positional[str], arg(metavar="[ARTICLE]")] = ""
    """dqn, value_function, ...: python -m rl lists them"""
    seeds: str = "0:10"
    """seeds of every combination: 0:10 is 0 to 9; 0,5,7"""
    set: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="NAME=V1,V2,...")] = ()
    """values of a setting, by its name in the article's --help; several --set give every combination"""
    test: bool = False
    """with the article's own --test"""
    jobs: int = 0
    """runs at the same time; 0 = one for each core"""
    backend: Literal["loky", "dask", "ray"] = "loky"
    """loky = this machine; dask, ray = a cluster whose machines share the folder of --out"""
    address: str = ""
    """of the cluster's scheduler; none = a small cluster on this machine"""
    out: str = "runs"
    """folder that receives the folder of this sweep"""
    resume: RunName = RunName("")
    """do the missing and failed runs of a sweep: of the newest, or of that folder"""


def main(argv: list[str]) -> int:
    """Run the tool; returns 0 when every run is done, 1 when some failed."""
    summary = "Runs an article with many seeds and settings, in parallel."
    return run_tool("sweep", Settings, run, argv, summary, EXAMPLES)


def run(settings: Settings) -> int:
    """Make or read the plan, do the missing runs, write the table, print where it is."""
    require(settings.jobs >= 0, f"--jobs is {settings.jobs}", "give 0 (one for each core) or a number")
    is_cluster = settings.backend != "loky"
    require(
        is_cluster or not settings.address,
        "--address is for a cluster",
        "add --backend dask or --backend ray",
    )
    folder = find_sweep(settings) if settings.resume else None
    if folder is None:
        plan = plans.make(settings.article, settings.seeds, settings.set, settings.test)
    else:
        plan = plans.read(folder)
    with connect(settings.backend, settings.address, settings.jobs) as (perform_all, workers):
        conductor = Conductor(folder or create_folder(settings, plan), plan)
        conductor.forget_failures()
        stopped = conduct(conductor, perform_all, f"{workers} at a time by {settings.backend}")
    files = " and ".join(path.name for path in conductor.write_table())
    if stopped:
        done = f"{conductor.done} of {conductor.planned} runs are done"
        raise Interrupted(stopped, f"stopped, {done}; go on:  python -m rl sweep --resume {conductor.folder}")
    return print_ending(conductor, files)


def conduct(conductor: Conductor, perform_all: Map, how: str) -> int:
    """Do the missing runs and show their progress; returns the signal that stopped it, or 0."""
    jobs, done = len(conductor.plan.jobs), conductor.done
    at_once = f" in {jobs} compiled calls" if jobs < conductor.planned else ""
    before = f", {done} of them done before" if done else ""
    runs = f"{conductor.planned} runs{at_once}{before}, {how}"
    print(fit(f"{module_of(conductor.plan.article)}: {runs}; folder {conductor.folder}"), flush=True)
    display = Display(conductor.plan, len(conductor.records))
    try:
        with StopSignals() as stop:
            conductor.run(perform_all, display, stop)
    except KeyboardInterrupt:  # the second signal
        pass
    finally:
        display.close()
    return stop.received or 0


def create_folder(settings: Settings, plan: Plan) -> Path:
    """Create the folder of a new sweep, with its plan."""
    seed = plan.jobs[0].seeds[0]
    folder = run_folder.create(settings.out, "sweep", plan.article, seed, dataclasses.asdict(settings))
    plan.write(folder)
    return folder


def find_sweep(settings: Settings) -> Path:
    """Find the sweep to resume; raises UsageError when there is none, or other settings are given too."""
    require(
        not (settings.article or settings.set or settings.test),
        "--resume continues a sweep as it was planned",
        "leave the article and its settings away",
    )
    if settings.resume != NEWEST:
        for folder in (Path(settings.resume), Path(settings.out) / settings.resume):
            if folder.is_dir():
                return folder
        raise UsageError(
            f"there is no folder {settings.resume}", "name the folder that python -m rl sweep made"
        )
    found = list(Path(settings.out).glob(f"sweep__*/{plans.NAME}"))
    require(bool(found), f"no sweep in {settings.out}/", "start one: python -m rl sweep dqn --seeds 0:10")
    return max(found, key=lambda path: path.stat().st_mtime).parent


def print_ending(conductor: Conductor, files: str) -> int:
    """Print counts and files; returns 1 when a run failed."""
    folder = conductor.folder
    failed = [key for key, record in conductor.records.items() if record.state == FAILED]
    if failed:
        output = folder / failed[0] / OUTPUT
        print(f"{len(failed)} failed; the reasons are in the table, all output in {output} for example")
        print(f"try them again:  python -m rl sweep --resume {folder}")
    print(f"{conductor.done} of {conductor.planned} runs done; {files} in {folder}")
    print(f"compare:  python -m rl compare {folder}")
    return 1 if failed else 0
