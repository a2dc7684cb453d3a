"""The results of runs to compare: of sweeps and of single runs, grouped by their settings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nnlite.arrays import Array
from rl.articles import module_of
from rl.command.config import read_config
from rl.command.errors import UsageError, require
from rl.pages.curves import expand, read_curve, smooth
from rl.pages.groups import group_by_settings
from rl.sweeps import plan as plans
from rl.sweeps import record
from rl.sweeps.measures import measure

ONE_TASK = "one task"  # of an article whose settings name no environment


@dataclass(frozen=True)
class Result:
    """The result of one run.

    score   None when it failed
    steps   to solved; of an unsolved run, all its steps
    folder  with the learning curve; None where there is none
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
        """Its environment."""
        return str(self.settings.get("env_id", ONE_TASK))


@dataclass(frozen=True)
class Group:
    """Results with the same settings; they differ only in seed and environment."""

    label: str
    results: tuple[Result, ...]

    @property
    def finished(self) -> list[Result]:
        """The results with a score."""
        return [result for result in self.results if result.score is not None]

    def scores(self, tasks: Sequence[str]) -> list[Array]:
        """Return the scores (R,) of each task."""
        return [
            np.array([result.score for result in self.finished if result.task == task], float)
            for task in tasks
        ]


def collect_results(names: Sequence[str], root: Path = Path("runs")) -> list[Result]:
    """Read the results in these folders of sweeps and single runs.

    names  paths, names inside runs/, or patterns

    Raises UsageError for a folder that is neither.
    """
    require(bool(names), "no sweep is named", "name folders: python -m rl compare runs/sweep__*")
    results: list[Result] = []
    for path, _ in expand(names):
        folder = path if path.is_dir() else root / path
        results += read_sweep(folder) if (folder / plans.NAME).is_file() else [read_run(folder)]
    require(bool(results), "none of the runs has ended", "wait, or go on: python -m rl sweep --resume")
    return results


def read_sweep(folder: Path) -> list[Result]:
    """Read the results of a sweep's ended runs."""
    plan = plans.read(folder)
    results = []
    for job in plan.jobs:
        ended = record.read(folder / job.key)
        if ended is None:
            continue
        curve = next((path.parent for path in (folder / job.key).glob("*/monitor.csv")), None)
        failed = [{"seed": seed} for seed in job.seeds] if ended.state == record.FAILED else []
        for row in (*failed, *ended.rows):
            results.append(_result(plan.article, job.settings, row, curve, ended.error))
    return results


def read_run(folder: Path) -> Result:
    """Read the result of a single run; raises UsageError when it has not ended."""
    config = read_config(folder)
    try:
        figures = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        article = config["article"]
        row = measure(article, int(config["settings"]["seed"]), figures)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise UsageError(
            f"{folder} has no figures: {problem}", "name a sweep, or the folder of a run that has ended"
        ) from None
    return _result(article, config["settings"], row, folder if (folder / "monitor.csv").is_file() else None)


def _result(
    article: str, settings: dict[str, Any], row: dict[str, Any], curve: Path | None, error: str = ""
) -> Result:
    """Make the result of a table's row; without a count, an unsolved run made all steps of its settings."""
    solved_at = row.get("solved_at")
    made = (
        row.get("total_steps")
        or settings.get("total_timesteps")
        or row.get("episodes")
        or settings.get("max_episodes")
        or 0
    )
    steps = float(made if solved_at is None else solved_at)
    return Result(
        article, settings, row["seed"], row.get("score"), steps, solved_at is not None, error, curve
    )


def group_results(results: Sequence[Result]) -> list[Group]:
    """Group results by their settings, in their order; labels name the article if there are several."""
    several = len({result.article for result in results}) > 1
    groups = []
    for label, members in group_by_settings(results, ignored=("env_id",)):
        article = module_of(members[0].article) if several or not label else ""
        groups.append(Group(f"{article} {label}".strip(), tuple(members)))
    return groups


def apply_threshold(result: Result, threshold: float, window: int) -> Result:
    """Count a run as solved when the mean return of its last `window` training episodes reaches `threshold`.

    A result without a learning curve is returned unchanged.
    """
    if result.folder is None:
        return result
    try:
        curve = read_curve(result.folder, "steps")
    except UsageError:  # no finished episode
        return replace(result, solved=False)
    reached = np.flatnonzero(smooth(curve.returns, window)[0] >= threshold)
    reached = reached[reached >= window - 1]
    steps = float(curve.x[reached[0]] if len(reached) else curve.x[-1])
    return replace(result, steps=steps, solved=len(reached) > 0)
