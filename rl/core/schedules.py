"""Numbers that change over a run."""

from __future__ import annotations


def linear(step: int, first: float, last: float, steps: int) -> float:
    """`first` up to step 0, `last` from `steps` on, a straight line between."""
    if step >= steps:
        return last
    return first + (last - first) * max(step, 0) / steps
