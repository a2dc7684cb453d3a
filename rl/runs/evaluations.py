"""evaluations.csv: the evaluations of a run, a row each."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

from rl.command.errors import UsageError

EVALUATIONS = "evaluations.csv"
COLUMNS = ("steps", "episodes", "seconds", "games", "mean", "std", "score", "complete", "solved")


class Mark(NamedTuple):
    """An evaluation in a plot: where on the x axis, its mean return, whether it solved the environment."""

    x: float
    mean: float
    solved: bool


def read_marks(folder: Path, axis: str) -> list[Mark]:
    """Read the evaluations of a run whose games were all finished; axis is steps, episodes or seconds.

    A folder without the file has none. Raises UsageError when it cannot be read.
    """
    path = folder / EVALUATIONS
    if not path.is_file():
        return []
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if int(row["complete"])]
        return [Mark(float(row[axis]), float(row["mean"]), bool(int(row["solved"]))) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as problem:
        raise UsageError(f"{path} cannot be read: {problem}", "leave this run out") from None
