"""Compare groups of results: every figure of the page and of the printed table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nnlite.arrays import Array
from rl.command.errors import UsageError, require
from rl.pages.curves import Curve, default_window, read_curve, smooth
from rl.sweeps import statistics
from rl.sweeps.measures import Measure, measure_of
from rl.sweeps.results import Group, Result, apply_threshold, group_results
from rl.sweeps.statistics import Estimate
from rl.sweeps.time_to_goal import TimeToGoal, time_to_goal

THRESHOLDS = 100  # points of a performance profile
CURVE_POINTS = 200
THRESHOLD_WINDOW = 100  # episodes
Scale = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class GroupFigures:
    """The figures of one group.

    improvement  probability that a run is better than one of the first group; None for the first
    time         None where the article counts no steps to a goal
    curve        x (T,), mean of the learning curves and its interval; None without curves
    """

    group: Group
    score: Estimate
    profile: Estimate
    improvement: Estimate | None
    time: TimeToGoal | None
    curve: tuple[Array, Estimate] | None


@dataclass(frozen=True)
class Comparison:
    """The figures of all groups.

    left_out    groups without a finished run on some task, which have no figures
    thresholds  (T,) of the performance profiles
    horizon     of the restricted means, in steps
    goal        the goal in words
    window      episodes averaged for a point of a learning curve
    """

    groups: tuple[GroupFigures, ...]
    left_out: tuple[Group, ...]
    measure: Measure
    tasks: tuple[str, ...]
    scaled: bool
    thresholds: Array
    horizon: float
    goal: str
    window: int


def compare(
    results: Sequence[Result], scale: Scale, threshold: float | None = None, window: int = 0
) -> Comparison:
    """Compare results that have the same measure.

    scale      {environment: (score of 0, score of 1)}; needed for several environments, whose scores have
               different units
    threshold  mean return that counts as the goal, instead of the article's own goal
    window     training episodes averaged for the threshold and for the learning curves; 0 = the defaults

    Raises UsageError when the results cannot be compared.
    """
    measure = common_measure(results)
    tasks = tuple(dict.fromkeys(result.task for result in results))
    results = scale_scores(results, tasks, scale)
    goal = "the article's goal"
    if threshold is not None:
        episodes = window or THRESHOLD_WINDOW
        results = [apply_threshold(result, threshold, episodes) for result in results]
        goal = f"a mean return of {threshold:g} over {episodes} training episodes"
    groups, left_out = split_by_scores(group_results(results), tasks)
    values = np.concatenate([scores for group in groups for scores in group.scores(tasks)])
    thresholds = np.linspace(values.min(), values.max(), THRESHOLDS)
    horizon = common_horizon(groups)
    if not window:
        curves = [curve for group in groups for curve in read_curves(group)]
        window = default_window(curves) if curves else 0
    figures: list[GroupFigures] = []
    for group in groups:
        first = groups[0].scores(tasks) if figures else None
        figures.append(figures_of(group, first, tasks, thresholds, horizon, window, measure))
    return Comparison(
        tuple(figures), tuple(left_out), measure, tasks, bool(scale), thresholds, horizon, goal, window
    )


def common_measure(results: Sequence[Result]) -> Measure:
    """Return the measure of the articles; raises UsageError when they have several."""
    measures = {measure_of(result.article) for result in results}
    require(
        len(measures) == 1,
        "these articles are measured in different ways",
        "compare sweeps of one article, or of agents",
    )
    return measures.pop()


def scale_scores(results: Sequence[Result], tasks: Sequence[str], scale: Scale) -> Sequence[Result]:
    """Scale the scores of each task; raises UsageError when a scale is needed and missing."""
    if len(tasks) == 1 and not scale:
        return results
    lacking = " ".join(f"{task}=LOW,HIGH" for task in tasks if task not in scale)
    require(
        not lacking, f"the scores of {' and '.join(tasks)} have different units", f"give --scale {lacking}"
    )
    scaled = []
    for result in results:
        low, high = scale[result.task]
        score = None if result.score is None else (result.score - low) / (high - low)
        scaled.append(replace(result, score=score))
    return scaled


def split_by_scores(groups: Sequence[Group], tasks: Sequence[str]) -> tuple[list[Group], list[Group]]:
    """Split into groups with scores on every task and those without; raises UsageError if none has them."""
    complete: list[Group] = []
    left_out: list[Group] = []
    for group in groups:
        (complete if all(len(scores) for scores in group.scores(tasks)) else left_out).append(group)
    require(
        bool(complete),
        "no setting has a finished run on every task",
        "see the errors in the table of the sweep",
    )
    return complete, left_out


def figures_of(
    group: Group,
    first: list[Array] | None,
    tasks: Sequence[str],
    thresholds: Array,
    horizon: float,
    window: int,
    measure: Measure,
) -> GroupFigures:
    """Compute the figures of a group.

    first  scores of the first group; None for that group itself
    """
    scores, higher = group.scores(tasks), measure.better == "higher"
    steps = np.array([result.steps for result in group.results])
    solved = np.array([result.solved for result in group.results])
    return GroupFigures(
        group,
        statistics.interquartile_mean(scores),
        statistics.performance_profile(scores, thresholds, higher),
        None if first is None else statistics.probability_of_improvement(scores, first, higher),
        time_to_goal(steps, solved, horizon) if horizon > 0 else None,
        learning_curve(group, window) if len(tasks) == 1 else None,
    )


def common_horizon(groups: Sequence[Group]) -> float:
    """Return the steps up to which the runs of every group are known.

    If the longest run of a group did not reach the goal, the group is known up to its end. The horizon is the
    least of these ends; without any, the longest run of all.
    """
    longest = [max(group.results, key=lambda result: (result.steps, not result.solved)) for group in groups]
    censored = [result.steps for result in longest if not result.solved]
    return min(censored) if censored else max(result.steps for result in longest)


def read_curves(group: Group) -> list[Curve]:
    """Read the learning curves of the runs that have one."""
    curves = []
    for result in group.results:
        if result.folder is not None:
            try:
                curves.append(read_curve(result.folder, "steps"))
            except UsageError:
                continue  # no episode was finished
    return curves


def learning_curve(group: Group, window: int) -> tuple[Array, Estimate] | None:
    """Return x (T,) in environment steps up to the longest run, and the mean over runs with its interval.

    A run that ended earlier because it was solved continues with its last value.
    """
    curves = read_curves(group)
    if not curves:
        return None
    x = np.linspace(max(curve.x[0] for curve in curves), max(curve.x[-1] for curve in curves), CURVE_POINTS)
    lines = np.stack([np.interp(x, curve.x, smooth(curve.returns, window)[0]) for curve in curves])
    return x, statistics.mean_curve(lines)


def read_scale(texts: Sequence[str]) -> Scale:
    """Parse ENV=LOW,HIGH of each environment; raises UsageError for anything else."""
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
