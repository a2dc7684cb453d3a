"""Schedules: numbers that change over a run."""

from __future__ import annotations


def linear(step: int, first: float, last: float, steps: int) -> float:
    """Interpolate from `first` at step 0 to `last` at `steps`; constant before and after."""
    if step >= steps:
        return last
    return first + (last - first) * max(step, 0) / steps
