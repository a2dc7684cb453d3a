"""The runs that are compared: of sweeps, and single ones; those that differ only in their seed make one
group.
"""

from __future__ import annotations

import glob
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnlite.arrays import Array
from rl.command.config import read_config
from rl.command.errors import UsageError, require
from rl.command.settings import flag
from rl.pages.curves import OF_NO_MATTER, Curve, read_curve, smoothed
from rl.sweeps import plan as plans
from rl.sweeps import record
from rl.sweeps.measures import MEASURES
from rl.sweeps.table import plain

ONE_TASK = "one task"  # of an article whose settings name no environment


@dataclass(frozen=True)
class Run:
    """What one run reached.

    score   None when it failed
    steps   to solved, or how far it came without being solved
    folder  of an agent's run, with its learning curve; None where there is none
    """

    article: str
    settings: dict[str, Any]
    seed: int
    score: float | None
    steps: float
    solved: bool
    error: str = ""
    folder: Path | None = None

    @property
    def task(self) -> str:
        return str(self.settings.get("env_id", ONE_TASK))

    @property
    def kind(self) -> tuple[tuple[str, str], ...]:
        """Equal for runs of one group: they differ in seed and environment only."""
        kept = {
            name: repr(plain(value))
            for name, value in self.settings.items()
            if name not in (*OF_NO_MATTER, "env_id")
        }
        return ("article", self.article), *sorted(kept.items())


@dataclass(frozen=True)
class Group:
    """Runs of one setting under its label."""

    label: str
    runs: tuple[Run, ...]

    @property
    def finished(self) -> list[Run]:
        """Those with a score."""
        return [run for run in self.runs if run.score is not None]

    def scores(self, tasks: Sequence[str]) -> list[Array]:
        """(R,) scores of each task."""
        return [np.array([run.score for run in self.finished if run.task == task], float) for task in tasks]


def collect(names: Sequence[str], root: Path = Path("runs")) -> list[Run]:
    """The runs in these folders of sweeps and of single runs; paths, names inside runs/, or patterns.

    Raises UsageError for a folder that is neither.
    """
    require(bool(names), "no sweep is named", "name folders: python -m rl compare runs/sweep__*")
    runs: list[Run] = []
    for name in names:
        for path in [Path(match) for match in sorted(glob.glob(name))] or [Path(name)]:
            folder = path if path.is_dir() else root / path
            runs += of_sweep(folder) if (folder / plans.NAME).is_file() else [of_run(folder)]
    require(bool(runs), "none of the runs has ended", "wait, or go on: python -m rl sweep --resume")
    return runs


def of_sweep(folder: Path) -> list[Run]:
    """Every run of a sweep that has ended."""
    plan = plans.read(folder)
    runs = []
    for job in plan.jobs:
        ended = record.read(folder / job.key)
        if ended is None:
            continue
        curve = next((path.parent for path in (folder / job.key).glob("*/monitor.csv")), None)
        if ended.state == record.FAILED:
            runs += [
                _run(plan.article, job.settings, {"seed": seed}, curve, ended.error) for seed in job.seeds
            ]
        runs += [_run(plan.article, job.settings, row, curve) for row in ended.rows]
    return runs


def of_run(folder: Path) -> Run:
    """A single run that has ended."""
    config = read_config(folder)
    try:
        figures = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        article, seed = config["article"], int(config["settings"]["seed"])
        score, solved_at, others = MEASURES[article].read(figures)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise UsageError(
            f"{folder} has no figures: {problem}", "name a sweep, or the folder of a run that has ended"
        ) from None
    row = {"seed": seed, "score": score, "solved_at": solved_at, **others}
    return _run(article, config["settings"], row, folder if (folder / "monitor.csv").is_file() else None)


def _run(
    article: str, settings: dict[str, Any], row: dict[str, Any], curve: Path | None, error: str = ""
) -> Run:
    """A run that was not solved came as far as it says, or as its settings let it."""
    solved_at = row.get("solved_at")
    far = (
        row.get("total_steps")
        or settings.get("total_timesteps")
        or row.get("episodes")
        or settings.get("max_episodes")
        or 0
    )
    steps = float(far if solved_at is None else solved_at)
    return Run(article, settings, row["seed"], row.get("score"), steps, solved_at is not None, error, curve)


def grouped(runs: Sequence[Run]) -> list[Group]:
    """The groups in the order given; a label names the settings that differ between them."""
    kinds: dict[Any, list[Run]] = {}
    for run in runs:
        kinds.setdefault(run.kind, []).append(run)
    tables = [dict(kind) for kind in kinds]
    names = dict.fromkeys(name for table in tables for name in table)
    differing = [
        name for name in names if len({table.get(name) for table in tables}) > 1 and name != "article"
    ]
    return [
        Group(_label(members[0], differing, len({run.article for run in runs}) > 1), tuple(members))
        for members in kinds.values()
    ]


def _label(run: Run, differing: Sequence[str], several: bool) -> str:
    """--gamma 0.9, behind its article where there are several; the first three settings that differ."""
    own = [] if several and len({*differing} - {*run.settings}) else differing
    words = [f"{flag(name)} {plain(run.settings[name])}" for name in own if name in run.settings][:3]
    return " ".join(([f"rl.{run.article}"] if several or not words else []) + words)


def reached(run: Run, threshold: float, window: int) -> Run:
    """The same run, "solved" where the mean return of its last `window` training episodes first was at least
    `threshold`.
    """
    if run.folder is None:
        return run
    try:
        curve: Curve = read_curve(run.folder, "steps")
    except UsageError:
        return Run(run.article, run.settings, run.seed, run.score, run.steps, False, run.error, run.folder)
    there = np.flatnonzero(smoothed(curve.returns, window)[0] >= threshold)
    there = there[there >= window - 1]
    steps = float(curve.x[there[0]] if len(there) else curve.x[-1])
    return Run(run.article, run.settings, run.seed, run.score, steps, len(there) > 0, run.error, run.folder)
