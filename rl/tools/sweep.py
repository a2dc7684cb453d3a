"""`python -m rl sweep ARTICLE --seeds 0:20 --set NAME=V1,V2`: many runs of an article, in parallel, and one
table of them.

Every combination of the values given by --set runs with every seed, each run in a folder of its own, as if it
had been started by its own command with one thread. What has ended stays whatever happens; --resume does what
is missing.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from rl.command.errors import UsageError, require
from rl.command.settings import NEWEST, RunName
from rl.runs import run_folder
from rl.runs.signals import Interrupted, StopSignals
from rl.sweeps import plan as plans
from rl.sweeps.backends import Map, connected
from rl.sweeps.child import OUTPUT
from rl.sweeps.conductor import Conductor
from rl.sweeps.display import Display
from rl.sweeps.plan import Plan
from rl.sweeps.record import FAILED
from rl.tools.command import tool

EXAMPLES = (
    "python -m rl sweep value_function --seeds 0:20",
    "python -m rl sweep dqn --test --seeds 0:10 --set learning-rate=1e-4,5e-4 --set double=true,false",
    "python -m rl sweep --resume",
    "python -m rl sweep dqn --seeds 0:100 --backend dask --address tcp://192.168.0.1:8786 --out /shared/runs",
)


@dataclass
class Settings:
    """Which runs, and where they are done."""

    article: Annotated[Positional[str], arg(metavar="[ARTICLE]")] = ""
    """dqn, value_function, ...: python -m rl lists them"""
    seeds: str = "0:10"
    """seeds of every combination: 0:10 is 0 to 9; 0,5,7"""
    set: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="NAME=V1,V2,...")] = ()
    """values of a setting, under its name in the article's --help; several --set make every combination"""
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
    """do what is missing or failed of a sweep: the newest, or that folder"""


def main(argv: list[str]) -> int:
    """Run the tool; returns 0 when every run is done, 1 when some failed."""
    return tool(
        "sweep", Settings, run, argv, "Runs an article with many seeds and settings, in parallel.", EXAMPLES
    )


def run(settings: Settings) -> int:
    """Plan or read the plan, do what is missing, write the table, say where it is."""
    require(settings.jobs >= 0, f"--jobs is {settings.jobs}", "give 0 (one for each core) or a number")
    require(
        not settings.address or settings.backend != "loky",
        "--address is for a cluster",
        "add --backend dask or --backend ray",
    )
    if settings.resume:
        folder, plan = resumed(settings)
    else:
        folder, plan = None, plans.make(settings.article, settings.seeds, settings.set, settings.test)
    with connected(settings.backend, settings.address, settings.jobs) as (perform_all, workers):
        conductor = Conductor(folder or begun(settings, plan), plan)
        conductor.forget_failures()
        stopped = conduct(conductor, perform_all, f"{workers} at a time by {settings.backend}")
    files = " and ".join(path.name for path in conductor.write_table())
    if stopped:
        done = f"{conductor.done} of {conductor.planned} runs are done"
        raise Interrupted(stopped, f"stopped, {done}; go on:  python -m rl sweep --resume {conductor.folder}")
    return told(conductor, files)


def conduct(conductor: Conductor, perform_all: Map, how: str) -> int:
    """Do what is missing, and show it; returns the signal that stopped it, or 0."""
    jobs, done = len(conductor.plan.jobs), conductor.done
    at_once = f" in {jobs} compiled calls" if jobs < conductor.planned else ""
    before = f", {done} of them done before" if done else ""
    print(
        f"rl.{conductor.plan.article}: {conductor.planned} runs{at_once}{before}, {how}; folder "
        f"{conductor.folder}",
        flush=True,
    )
    display = Display(conductor.plan, len(conductor.records))
    try:
        with StopSignals() as stop:
            conductor.run(perform_all, display, stop)
    except KeyboardInterrupt:  # the second signal
        pass
    finally:
        display.close()
    return stop.received or 0


def begun(settings: Settings, plan: Plan) -> Path:
    """The folder of a new sweep."""
    folder = run_folder.create(
        settings.out, "sweep", plan.article, plan.jobs[0].seeds[0], dataclasses.asdict(settings)
    )
    plan.write(folder)
    return folder


def resumed(settings: Settings) -> tuple[Path, Plan]:
    """The sweep that is meant; raises UsageError when there is none, or when it is asked to be another
    one.
    """
    given = settings.article or settings.set or settings.test
    require(
        not given,
        "--resume goes on with the sweep as it was planned",
        "leave the article and its settings away",
    )
    if settings.resume != NEWEST:
        folder = next(
            (path for path in (Path(settings.resume), Path(settings.out) / settings.resume) if path.is_dir()),
            None,
        )
        if folder is None:
            raise UsageError(
                f"there is no folder {settings.resume}", "name the folder that python -m rl sweep made"
            )
        return folder, plans.read(folder)
    found = [path.parent for path in Path(settings.out).glob(f"sweep__*/{plans.NAME}")]
    require(bool(found), f"no sweep in {settings.out}/", "start one: python -m rl sweep dqn --seeds 0:10")
    folder = max(found, key=lambda path: (path / plans.NAME).stat().st_mtime)
    return folder, plans.read(folder)


def told(conductor: Conductor, files: str) -> int:
    """The last lines; 1 when a run failed."""
    folder, failed = (
        conductor.folder,
        [key for key, ended in conductor.records.items() if ended.state == FAILED],
    )
    if failed:
        print(
            f"{len(failed)} failed; why is in the table, and all that was printed in "
            f"{folder / failed[0] / OUTPUT} for example"
        )
        print(f"try them again:  python -m rl sweep --resume {folder}")
    print(f"{conductor.done} of {conductor.planned} runs done; {files} in {folder}")
    print(f"compare:  python -m rl compare {folder}")
    return 1 if failed else 0
