"""Groups of runs beside each other: every figure of the page and of what is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nnlite.arrays import Array
from rl.command.errors import UsageError, require
from rl.pages.curves import read_curve, smoothed, usual_window
from rl.sweeps import statistics
from rl.sweeps.collect import Group, Run, grouped, reached
from rl.sweeps.measures import MEASURES, Measure
from rl.sweeps.statistics import Estimate, Reaching

THRESHOLDS = 100  # points of a performance profile
CURVE_POINTS = 200
Scale = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Compared:
    """One group and its figures.

    improvement  the chance that it is better than the first group; None for the first
    reaching     None where the article counts no steps to a goal
    curve        x (T,), mean of the learning curves and its interval; None without curves
    """

    group: Group
    score: Estimate
    profile: Estimate
    improvement: Estimate | None
    reaching: Reaching | None
    curve: tuple[Array, Estimate] | None


@dataclass(frozen=True)
class Comparison:
    """All groups. thresholds (T,) are those of the profiles; horizon that of the restricted means, in steps.

    left_out  groups without a finished run on some task: nothing can be said of them
    """

    groups: tuple[Compared, ...]
    left_out: tuple[Group, ...]
    measure: Measure
    tasks: tuple[str, ...]
    scaled: bool
    thresholds: Array
    horizon: float
    goal: str
    window: int


def compare(runs: Sequence[Run], scale: Scale, threshold: float | None = None, window: int = 0) -> Comparison:
    """The comparison of runs that are measured alike.

    scale      {environment: (score of 0, score of 1)}; needed for several environments, whose scores have
               different units
    threshold  mean return that counts as reached, in place of the article's own goal
    window     training episodes that a point of a learning curve is the mean of; 0 = the usual

    Raises UsageError when the runs cannot be compared.
    """
    measures = {MEASURES[run.article] for run in runs}
    require(
        len(measures) == 1,
        "these articles are measured in different ways",
        "compare sweeps of one article, or of agents",
    )
    (measure,) = measures
    tasks = tuple(dict.fromkeys(run.task for run in runs))
    if len(tasks) > 1 or scale:
        lacking = " ".join(f"{task}=LOW,HIGH" for task in tasks if task not in scale)
        require(
            not lacking,
            f"the scores of {' and '.join(tasks)} have different units",
            f"give --scale {lacking}",
        )
        runs = [
            run if run.score is None else replace(run, score=scaled(run.score, *scale[run.task]))
            for run in runs
        ]
    if threshold is not None:
        runs = [reached(run, threshold, window or 100) for run in runs]
    groups: list[Group] = []
    left_out: list[Group] = []
    for group in grouped(runs):
        whole = all(len(scores) for scores in group.scores(tasks))
        (groups if whole else left_out).append(group)
    require(
        bool(groups),
        "no setting has a finished run on every task",
        "see the errors in the table of the sweep",
    )
    values = np.concatenate([scores for group in groups for scores in group.scores(tasks)])
    thresholds = np.linspace(values.min(), values.max(), THRESHOLDS)
    horizon = common_horizon(groups)
    curved = [run.folder for group in groups for run in group.runs if run.folder is not None]
    window = window or (usual_window([read_curve(folder, "steps") for folder in curved]) if curved else 0)
    own = (
        "the article's goal"
        if threshold is None
        else f"a mean return of {threshold:g} over {window or 100} training episodes"
    )
    firsts = [None, *[groups[0].scores(tasks)] * (len(groups) - 1)]
    compared = [
        _compared(group, first, tasks, thresholds, horizon, window, measure)
        for group, first in zip(groups, firsts)
    ]
    return Comparison(
        tuple(compared), tuple(left_out), measure, tasks, bool(scale), thresholds, horizon, own, window
    )


def _compared(
    group: Group,
    first: list[Array] | None,
    tasks: Sequence[str],
    thresholds: Array,
    horizon: float,
    window: int,
    measure: Measure,
) -> Compared:
    scores, higher = group.scores(tasks), measure.better == "higher"
    steps, solved = np.array([run.steps for run in group.runs]), np.array([run.solved for run in group.runs])
    return Compared(
        group,
        statistics.interquartile_mean(scores),
        statistics.performance_profile(scores, thresholds, higher),
        None if first is None else statistics.probability_of_improvement(scores, first, higher),
        statistics.reaching(steps, solved, horizon) if horizon > 0 else None,
        learning_curve(group, window) if len(tasks) == 1 else None,
    )


def common_horizon(groups: Sequence[Group]) -> float:
    """Steps up to which every group's runs are known: the least of the ends of those whose last run had not
    arrived.
    """
    ends = [max(group.runs, key=lambda run: (run.steps, not run.solved)) for group in groups]
    unknown = [run.steps for run in ends if not run.solved]
    return min(unknown) if unknown else max(run.steps for run in ends)


def learning_curve(group: Group, window: int) -> tuple[Array, Estimate] | None:
    """x (T,) in environment steps, mean over runs and its interval, as far as the longest run goes.

    A run that had stopped before, because it was solved, counts on with its last value.
    """
    curves = []
    for run in group.runs:
        if run.folder is not None:
            try:
                curves.append(read_curve(run.folder, "steps"))
            except UsageError:
                continue  # no episode was finished
    if not curves:
        return None
    x = np.linspace(max(curve.x[0] for curve in curves), max(curve.x[-1] for curve in curves), CURVE_POINTS)
    lines = np.stack([np.interp(x, curve.x, smoothed(curve.returns, window)[0]) for curve in curves])
    return x, statistics.mean_curve(lines)


def scaled(score: float, low: float, high: float) -> float:
    return (score - low) / (high - low)


def read_scale(texts: Sequence[str]) -> Scale:
    """ENV=LOW,HIGH of each; raises UsageError for anything else."""
    scale = {}
    for text in texts:
        name, _, numbers = text.partition("=")
        try:
            low, high = (float(number) for number in numbers.split(","))
        except ValueError:
            low = high = 0.0
        require(
            bool(name) and abs(high - low) > 0,
            f"--scale is {text!r}",
            "give ENV=LOW,HIGH: CartPole-v0=20,195 for example",
        )
        scale[name] = (low, high)
    return scale
