"""Print small matrices with their shapes, alone or side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

DIGITS = 6
RULE = "-" * 72


def show(title: str, values: Any, meaning: str = "") -> None:
    """Print a rule, then the title, shape and numbers of an array, as the articles do."""
    array = np.asarray(values)
    print(RULE)
    print(f"{title}  shape {array.shape}" + (f"  ({meaning})" if meaning else ""))
    for line in format_rows(array):
        print("  " + line)


def compare(title: str, by_hand: Any, engine: Any) -> bool:
    """Print both side by side; return True if all printed digits are equal."""
    left, right = format_rows(by_hand), format_rows(engine)
    same = left == right
    width = max(map(len, left))
    print(f"{title}  shape {np.shape(engine)}")
    print(f"  {'by hand':<{width}}    engine")
    for hand_row, engine_row in zip(left, right):
        print(f"  {hand_row:<{width}}    {engine_row}{'' if hand_row == engine_row else '   <- differs'}")
    return same


def format_rows(values: Any, digits: int = DIGITS) -> list[str]:
    """Format each row of a vector or matrix as one line; -0 is written as 0."""
    matrix: Sequence[Sequence[float]] = np.atleast_2d(np.asarray(values, float)).tolist()
    return [
        " ".join(f"{round(value, digits) + 0.0:{digits + 4}.{digits}f}" for value in row) for row in matrix
    ]
