"""Learning curves: read from the monitor.csv of runs, smoothed, averaged over seeds."""

from __future__ import annotations

import csv
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
from rl.runs.evaluations import Mark, read_marks
from rl.runs.run_folder import RESULT

LARGEST_WINDOW = 100  # episodes
POINTS = 400  # of the mean over several seeds


@dataclass(frozen=True)
class Curve:
    """The learning curve of one run.

    x        (T,) steps, episodes or seconds at the end of each episode
    returns  (T,) return of each episode
    marks    evaluations
    goal     mean return of a solved environment, if that is its goal
    """

    x: Array
    returns: Array
    article: str
    settings: dict[str, Any]
    marks: tuple[Mark, ...] = ()
    goal: float | None = None


def find_runs(names: Sequence[str], root: Path = Path("runs")) -> list[Path]:
    """Return the folders of runs, each once.

    names  paths, names inside runs/, or patterns, which not every shell expands

    Raises UsageError for a name that is not the folder of an agent's run.
    """
    found: list[Path] = []
    for path, is_single in expand(names):
        folder = next((place for place in (path, root / path) if (place / "monitor.csv").is_file()), None)
        if folder is None and is_single:
            raise UsageError(
                f"no monitor.csv in {path}", "name the folder of an agent's run, runs/dqn__... for example"
            )
        if folder is not None and folder not in found:
            found.append(folder)
    require(bool(found), "no run is named", "name folders of runs: python -m rl plot runs/dqn__*")
    return found


def expand(names: Sequence[str]) -> list[tuple[Path, bool]]:
    """Expand patterns; (path, whether it is the only one of its name)."""
    matches = [sorted(glob.glob(name)) or [name] for name in names]
    return [(Path(path), len(paths) == 1) for paths in matches for path in paths]


def read_curve(folder: Path, axis: str) -> Curve:
    """Read the curve of a run; axis is steps, episodes or seconds.

    Raises UsageError when it cannot be read, or has no finished episode.
    """
    config = read_config(folder)
    try:
        with open(folder / "monitor.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
        table = np.array([[float(row[name]) for name in ("r", "l", "t")] for row in rows]).reshape(-1, 3)
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as problem:
        raise UsageError(
            f"{folder / 'monitor.csv'} cannot be read: {problem}", "leave this run out"
        ) from None
    require(len(table) > 0, f"no episode was finished in {folder}", "leave this run out")
    x = {"steps": np.cumsum(table[:, 1]), "episodes": np.arange(1.0, len(table) + 1), "seconds": table[:, 2]}
    marks, goal = tuple(read_marks(folder, axis)), read_goal(folder)
    return Curve(x[axis], table[:, 0], str(config.get("article", "?")), config["settings"], marks, goal)


def read_goal(folder: Path) -> float | None:
    """Read the mean return that solves the environment from result.json; None without one."""
    try:
        goal = json.loads((folder / RESULT).read_text(encoding="utf-8")).get("goal_return")
    except (OSError, ValueError, AttributeError):  # the run is not finished, or was written without it
        return None
    return goal if isinstance(goal, float) else None


def smooth(returns: Array, window: int) -> tuple[Array, Array]:
    """Return mean and standard deviation (T,) of the last `window` returns; of fewer at the beginning."""
    means, deviations = np.empty(len(returns)), np.empty(len(returns))
    for end in range(1, len(returns) + 1):
        part = returns[max(0, end - window) : end]
        means[end - 1], deviations[end - 1] = part.mean(), part.std()
    return means, deviations


def default_window(curves: Sequence[Curve]) -> int:
    """Return a tenth of the shortest run, at most 100 episodes."""
    return int(np.clip(min(len(curve.returns) for curve in curves) // 10, 1, LARGEST_WINDOW))


def average_over_seeds(curves: Sequence[Curve], window: int) -> tuple[Array, Array, Array]:
    """Return x, mean and standard deviation over the runs, for the x that all of them cover.

    Beyond that range the mean would be over other runs, and drop where a good run ends. The arrays are empty
    if no x is covered by all.
    """
    begin, end = max(curve.x[0] for curve in curves), min(curve.x[-1] for curve in curves)
    if begin >= end:
        return np.empty(0), np.empty(0), np.empty(0)
    x = np.linspace(begin, end, POINTS)
    lines = np.stack([np.interp(x, curve.x, smooth(curve.returns, window)[0]) for curve in curves])
    return x, lines.mean(axis=0), lines.std(axis=0)
