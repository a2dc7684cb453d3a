"""Learning curves of runs: read from monitor.csv, smoothed, and runs that differ only in their seed put
together.
"""

from __future__ import annotations

import csv
import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnlite.arrays import Array
from rl.command.config import read_config
from rl.command.errors import UsageError
from rl.command.settings import flag

OF_NO_MATTER = {
    "seed",
    "out",
    "num_threads",
    "config",
    "resume",
    "play",
    "save_freq",
    "test",
}  # do not make another setting
SMOOTHEST = 100  # episodes that a point is the mean of, at most
POINTS = 400  # of the mean over several seeds


@dataclass(frozen=True)
class Curve:
    """One run: x (T,) at the end of each episode, its return (T,), and what the run was."""

    x: Array
    returns: Array
    article: str
    settings: dict[str, Any]

    @property
    def kind(self) -> tuple[tuple[str, str], ...]:
        """Equal for runs that differ in their seed only."""
        return (
            ("article", self.article),
            *sorted((k, repr(v)) for k, v in self.settings.items() if k not in OF_NO_MATTER),
        )


def find_runs(names: Sequence[str], root: Path = Path("runs")) -> list[Path]:
    """The run folders meant: paths, names inside runs/, or patterns, which not every shell fills in; each
    once.

    Raises UsageError for one that is no agent's run.
    """
    found: list[Path] = []
    for name in names:
        matches = [Path(match) for match in sorted(glob.glob(name))] or [Path(name)]
        for path in matches:
            folder = next((place for place in (path, root / path) if (place / "monitor.csv").is_file()), None)
            if folder is None and len(matches) == 1:
                raise UsageError(
                    f"no monitor.csv in {path}",
                    "name the folder of an agent's run, runs/dqn__... for example",
                )
            if folder is not None and folder not in found:
                found.append(folder)
    if not found:
        raise UsageError("no run is named", "name folders of runs: python -m rl plot runs/dqn__*")
    return found


def read_curve(folder: Path, axis: str) -> Curve:
    """The curve of a run; axis is steps, episodes or seconds.

    Raises UsageError when it cannot be read, or no episode of it was finished.
    """
    config = read_config(folder)
    try:
        with open(folder / "monitor.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
        table = np.array([[float(row[name]) for name in ("r", "l", "t")] for row in rows]).reshape(-1, 3)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise UsageError(
            f"{folder / 'monitor.csv'} cannot be read: {problem}", "leave this run out"
        ) from None
    if len(table) == 0:
        raise UsageError(f"no episode was finished in {folder}", "leave this run out")
    x = {"steps": np.cumsum(table[:, 1]), "episodes": np.arange(1.0, len(table) + 1), "seconds": table[:, 2]}[
        axis
    ]
    return Curve(x, table[:, 0], str(config.get("article", "?")), config["settings"])


def grouped_by_setting(curves: Sequence[Curve]) -> list[tuple[str, list[Curve]]]:
    """(label, curves) of each setting, in the order given; the label names the settings that differ between
    them.
    """
    groups: dict[Any, list[Curve]] = {}
    for curve in curves:
        groups.setdefault(curve.kind, []).append(curve)
    kinds = [dict(kind) for kind in groups]
    differing = [
        name
        for name in dict.fromkeys(name for kind in kinds for name in kind)
        if len({kind.get(name) for kind in kinds}) > 1
    ]
    return [(label(dict(kind), differing, members), members) for kind, members in groups.items()]


def label(kind: dict[str, str], differing: Sequence[str], members: Sequence[Curve]) -> str:
    """rl.dqn --gamma 0.9, 3 runs"""
    words = ["rl." + members[0].article]
    words += [
        f"{flag(name)} {members[0].settings[name]}" for name in differing if name in members[0].settings
    ][:3]
    return " ".join(words) + (f", {len(members)} runs" if len(members) > 1 else "")


def smoothed(returns: Array, window: int) -> tuple[Array, Array]:
    """Mean and standard deviation (T,) of the last `window` returns at each episode; of fewer at the
    beginning.
    """
    means, deviations = np.empty(len(returns)), np.empty(len(returns))
    for end in range(1, len(returns) + 1):
        part = returns[max(0, end - window) : end]
        means[end - 1], deviations[end - 1] = part.mean(), part.std()
    return means, deviations


def usual_window(curves: Sequence[Curve]) -> int:
    """A tenth of the shortest run, at most 100 episodes."""
    return int(np.clip(min(len(curve.returns) for curve in curves) // 10, 1, SMOOTHEST))


def mean_over_seeds(curves: Sequence[Curve], window: int) -> tuple[Array, Array, Array]:
    """x, mean and standard deviation over the runs, where all of them have data.

    Beyond that a mean would be one of other runs, and fall when a good one ends. Empty arrays when there is
    no such place.
    """
    begin, end = max(curve.x[0] for curve in curves), min(curve.x[-1] for curve in curves)
    if begin >= end:
        return np.empty(0), np.empty(0), np.empty(0)
    x = np.linspace(begin, end, POINTS)
    lines = np.stack([np.interp(x, curve.x, smoothed(curve.returns, window)[0]) for curve in curves])
    return x, lines.mean(axis=0), lines.std(axis=0)
