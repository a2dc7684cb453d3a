"""Steps to a goal that not every run reaches: Kaplan and Meier's estimate (1958), computed by scipy.

A run that ended without reaching the goal shows only that it would have taken longer: it is censored. To
leave it out, or to take its last step as the time of the goal, would favour settings whose runs fail.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from nnlite.arrays import Array
from rl.sweeps.statistics import CURVE_RESAMPLES, LEVEL, Estimate


@dataclass(frozen=True)
class TimeToGoal:
    """The distribution of the steps to the goal.

    steps, share   (K,) the share of runs that have reached the goal after each number of steps
    median         steps after which half of the runs have reached it; None if fewer than half are known to
    restricted     mean steps to it, where slower runs count with the horizon
    """

    steps: Array
    share: Array
    median: float | None
    restricted: Estimate


def time_to_goal(steps: Array, reached: Array, horizon: float, seed: int = 0) -> TimeToGoal:
    """Estimate the time to the goal from R runs.

    steps    (R,) to the goal, or of the whole run
    reached  (R,) bool: the run reached the goal, else it is censored
    """
    steps, reached = np.asarray(steps, float), np.asarray(reached, bool)
    at, left = survival_function(steps, reached)
    half = np.flatnonzero(left <= 0.5)
    value = restricted_mean(steps, reached, horizon)
    low = high = np.nan
    if len(steps) > 1:
        rng = np.random.default_rng(seed)
        picked = rng.integers(len(steps), size=(CURVE_RESAMPLES, len(steps)))
        low, high = np.quantile(
            [restricted_mean(steps[rows], reached[rows], horizon) for rows in picked],
            ((1 - LEVEL) / 2, (1 + LEVEL) / 2),
        )
    return TimeToGoal(at, 1 - left, float(at[half[0]]) if len(half) else None, Estimate(value, low, high))


def survival_function(steps: Array, reached: Array) -> tuple[Array, Array]:
    """Return steps (K,) and the share of runs (K,) that have not reached the goal by then."""
    found = stats.ecdf(stats.CensoredData.right_censored(steps, ~reached)).sf
    return found.quantiles, found.probabilities


def restricted_mean(steps: Array, reached: Array, horizon: float) -> float:
    """Return the area under the survival function from 0 to the horizon."""
    at, left = survival_function(steps, reached)
    edges = np.concatenate(([0.0], np.minimum(at, horizon), [horizon]))
    return float(np.sum(np.diff(edges) * np.concatenate(([1.0], left))))
