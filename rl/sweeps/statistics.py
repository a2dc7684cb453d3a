"""What may be said of a few runs: point estimates that a lucky run does not move, each with its interval.

As Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical precipice", define them,
and their library rliable computes them. scipy does the work: its trimmed mean, its bootstrap, its estimate of
survival.

A sample here is a list with the scores (R,) of each task; tasks are resampled apart (stratified), so that
each keeps its number of runs. Intervals hold 95 %, between percentiles of the resampled statistic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from nnlite.arrays import Array

LEVEL = 0.95
RESAMPLES = 10_000
CURVE_RESAMPLES = 2_000  # of a statistic that is a whole curve
BATCH = 200  # resamples held in memory at once


@dataclass(frozen=True)
class Estimate:
    """A number, or a curve of them, and its interval; NaN where there are too few runs for one."""

    value: Any
    low: Any
    high: Any


def interquartile_mean(sample: Sequence[Array], seed: int = 0) -> Estimate:
    """Mean of the middle half of all scores: the best and the worst quarter are left out."""

    def statistic(*scores: Array, axis: int = -1) -> Any:
        return stats.trim_mean(np.concatenate(scores, axis=axis), 0.25, axis=axis)

    return bootstrapped(sample, statistic, RESAMPLES, seed)


def performance_profile(
    sample: Sequence[Array], thresholds: Array, higher: bool = True, seed: int = 0
) -> Estimate:
    """Share of runs that are better than each threshold, (T,): above it, or below it where less is better."""

    def statistic(*scores: Array, axis: int = -1) -> Any:
        values = np.moveaxis(np.concatenate(scores, axis=axis), axis, -1)  # (..., R)
        return np.stack([np.mean(values > edge if higher else values < edge, axis=-1) for edge in thresholds])

    return bootstrapped(sample, statistic, CURVE_RESAMPLES, seed)


def probability_of_improvement(
    one: Sequence[Array], other: Sequence[Array], higher: bool = True, seed: int = 0
) -> Estimate:
    """Chance that a run of `one` is better than a run of `other` on a task drawn at random; a tie counts
    half.

    The Mann-Whitney U statistic of each task over the number of pairs, and its mean over the tasks.
    """

    def statistic(*scores: Array, axis: int = -1) -> Any:
        each = []
        for x, y in zip(scores[: len(one)], scores[len(one) :]):
            ours, theirs = np.moveaxis(x, axis, -1)[..., :, None], np.moveaxis(y, axis, -1)[..., None, :]
            won = ours > theirs if higher else ours < theirs
            each.append(np.mean(won + 0.5 * (ours == theirs), axis=(-2, -1)))
        return np.mean(each, axis=0)

    return bootstrapped([*one, *other], statistic, CURVE_RESAMPLES, seed)


def mean_curve(lines: Array, seed: int = 0) -> Estimate:
    """Mean over runs (T,) of curves (R, T), as ordinary as it is in learning curves, with its interval at
    each point.
    """

    def statistic(rows: Array, axis: int = -1) -> Any:
        picked = np.moveaxis(rows, axis, -1).astype(
            int
        )  # runs are drawn whole: a row of numbers stands for them
        return np.moveaxis(lines[picked].mean(axis=-2), -1, 0)

    return bootstrapped([np.arange(len(lines), dtype=float)], statistic, CURVE_RESAMPLES, seed)


def bootstrapped(
    sample: Sequence[Array], statistic: Callable[..., Any], resamples: int, seed: int
) -> Estimate:
    """The statistic and its percentile interval; without one where a task has fewer than two runs."""
    value = statistic(*sample, axis=-1)
    if min(len(scores) for scores in sample) < 2:
        nothing = np.full(np.shape(value), np.nan)
        return Estimate(value, nothing, nothing)
    found = stats.bootstrap(
        tuple(sample),
        statistic,
        n_resamples=resamples,
        batch=BATCH,
        vectorized=True,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Estimate(value, found.low, found.high)


# --- steps to a goal that not every run reaches
# -------------------------------------------------------------------


@dataclass(frozen=True)
class Reaching:
    """How soon a goal is reached, when some runs had ended before they did: Kaplan and Meier's estimate.

    steps, share   (K,) the share of runs that have reached it after so many steps, a staircase
    median         steps after which half of the runs have reached it; None where fewer than half are known to
    restricted     mean of the steps to it, or to the horizon for those that take longer
    """

    steps: Array
    share: Array
    median: float | None
    restricted: Estimate


def reaching(steps: Array, reached: Array, horizon: float, seed: int = 0) -> Reaching:
    """Of R runs: after so many steps (R,) each reached the goal (R,) bool, or ended without it (it is
    censored).

    A run that ended says only that it would have taken longer. To leave it out, or to take its last step for
    the one that reached the goal, would make a setting better whose runs fail.
    """
    at, left = survival(steps, reached)
    half = np.flatnonzero(left <= 0.5)
    both = (np.asarray(steps, float), np.asarray(reached, bool))
    value = restricted_mean(*both, horizon)
    low = high = np.nan
    if len(both[0]) > 1:
        rng = np.random.default_rng(seed)
        picked = rng.integers(len(both[0]), size=(CURVE_RESAMPLES, len(both[0])))
        low, high = np.quantile(
            [restricted_mean(both[0][p], both[1][p], horizon) for p in picked],
            ((1 - LEVEL) / 2, (1 + LEVEL) / 2),
        )
    return Reaching(at, 1 - left, float(at[half[0]]) if len(half) else None, Estimate(value, low, high))


def survival(steps: Array, reached: Array) -> tuple[Array, Array]:
    """Kaplan and Meier's share of runs (K,) that still have the goal before them after each number of steps
    (K,).
    """
    found = stats.ecdf(
        stats.CensoredData.right_censored(np.asarray(steps, float), ~np.asarray(reached, bool))
    ).sf
    return found.quantiles, found.probabilities


def restricted_mean(steps: Array, reached: Array, horizon: float) -> float:
    """The area under `survival` from 0 to the horizon."""
    at, left = survival(steps, reached)
    edges = np.concatenate(([0.0], np.minimum(at, horizon), [horizon]))
    return float(np.sum(np.diff(edges) * np.concatenate(([1.0], left))))
