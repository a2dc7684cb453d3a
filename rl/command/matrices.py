"""Small matrices in print: with their shapes, and two of them side by side, digit for digit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

DIGITS = 6
RULE = "-" * 72


def show(title: str, values: Any, meaning: str = "") -> None:
    """Print name, shape and numbers of an array under a rule, as the articles do."""
    array = np.asarray(values)
    print(RULE)
    print(f"{title}  shape {array.shape}" + (f"  ({meaning})" if meaning else ""))
    for line in rows(array):
        print("  " + line)


def compare(title: str, by_hand: Any, engine: Any) -> bool:
    """Print both side by side; True when every digit shown is the same."""
    left, right = rows(by_hand), rows(engine)
    same = left == right
    width = max(map(len, left))
    print(f"{title}  shape {np.shape(engine)}")
    print(f"  {'by hand':<{width}}    engine")
    for hand_row, engine_row in zip(left, right):
        print(f"  {hand_row:<{width}}    {engine_row}{'' if hand_row == engine_row else '   <- differs'}")
    return same


def rows(values: Any, digits: int = DIGITS) -> list[str]:
    """One line for each row of a vector or matrix; -0 is written 0."""
    matrix: Sequence[Sequence[float]] = np.atleast_2d(np.asarray(values, float)).tolist()
    return [
        " ".join(f"{round(value, digits) + 0.0:{digits + 4}.{digits}f}" for value in row) for row in matrix
    ]
