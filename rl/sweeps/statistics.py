"""Robust point estimates over a few runs, each with its interval.

Definitions: Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical precipice",
whose library is rliable. scipy computes the trimmed mean and the bootstrap.

A sample is a list of the scores (R,) of each task. Tasks are resampled separately (stratified), so each keeps
its number of runs. Intervals cover 95 %: they lie between percentiles of the resampled statistic.
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
    """A number or a curve with its interval; the interval is NaN if there are too few runs."""

    value: Any
    low: Any
    high: Any


def interquartile_mean(sample: Sequence[Array], seed: int = 0) -> Estimate:
    """Average the middle half of all scores: the best and the worst quarter are left out."""

    def statistic(*scores: Array, axis: int = -1) -> Any:
        return stats.trim_mean(np.concatenate(scores, axis=axis), 0.25, axis=axis)

    return bootstrap(sample, statistic, RESAMPLES, seed)


def performance_profile(
    sample: Sequence[Array], thresholds: Array, higher: bool = True, seed: int = 0
) -> Estimate:
    """Return the share of runs above each threshold (T,), or below it if lower scores are better."""

    def statistic(*scores: Array, axis: int = -1) -> Any:
        values = np.moveaxis(np.concatenate(scores, axis=axis), axis, -1)  # (..., R)
        return np.stack([np.mean(values > edge if higher else values < edge, axis=-1) for edge in thresholds])

    return bootstrap(sample, statistic, CURVE_RESAMPLES, seed)


def probability_of_improvement(
    one: Sequence[Array], other: Sequence[Array], higher: bool = True, seed: int = 0
) -> Estimate:
    """Return the probability that a run of `one` beats a run of `other` on a random task; a tie counts half.

    This is the Mann-Whitney U statistic of each task over its number of pairs, averaged over the tasks.
    """

    def statistic(*scores: Array, axis: int = -1) -> Any:
        each = []
        for x, y in zip(scores[: len(one)], scores[len(one) :]):
            ours, theirs = np.moveaxis(x, axis, -1)[..., :, None], np.moveaxis(y, axis, -1)[..., None, :]
            won = ours > theirs if higher else ours < theirs
            each.append(np.mean(won + 0.5 * (ours == theirs), axis=(-2, -1)))
        return np.mean(each, axis=0)

    return bootstrap([*one, *other], statistic, CURVE_RESAMPLES, seed)


def mean_curve(lines: Array, seed: int = 0) -> Estimate:
    """Average curves (R, T) over the runs to (T,), with the interval at each point."""

    def statistic(rows: Array, axis: int = -1) -> Any:
        picked = np.moveaxis(rows, axis, -1).astype(int)  # row numbers: whole runs are resampled
        return np.moveaxis(lines[picked].mean(axis=-2), -1, 0)

    return bootstrap([np.arange(len(lines), dtype=float)], statistic, CURVE_RESAMPLES, seed)


def bootstrap(sample: Sequence[Array], statistic: Callable[..., Any], resamples: int, seed: int) -> Estimate:
    """Compute the statistic and its percentile interval; NaN if a task has fewer than two runs."""
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
