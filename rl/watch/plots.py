"""Plot a run as the articles do.

matplotlib is imported when the first plot is drawn, and never through pyplot.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnlite.arrays import Array
from rl.runs.evaluations import Mark

INTERVAL = 10  # episodes averaged for a point, as in the articles
MOST_POINTS = 500  # a longer run gets longer intervals
SINGLES = 60  # a run with fewer episodes shows each of them too
LINE, BAND, INK, EVALUATED = (
    "#0072b2",
    "#56b4e9",
    "#444444",
    "#d55e00",
)  # distinguishable with colour blindness


def plot_rewards(
    path: Path, returns: Sequence[float], title: str, marks: Sequence[Mark] = (), goal: float | None = None
) -> None:
    """Plot the articles' "Rewards History": the mean of every 10 episodes with a band of one deviation.

    returns  of each training episode, in their order; without any, the plot says so
    marks    evaluations, by the number of episodes before them
    goal     the mean return of a solved environment

    A run of more than 5,000 episodes has more episodes in a point; the legend names their number. Episodes
    that do not fill a point are left out of the curve.
    """
    figure, axes = new_figure(title, "episode", "return")
    if len(returns) == 0:
        place: dict[str, Any] = {"ha": "center", "va": "center", "transform": axes.transAxes}
        axes.text(0.5, 0.5, "no episode was finished", color=INK, **place)
        axes.set(xticks=[], yticks=[])
    else:
        draw_rewards(axes, returns, INTERVAL * -(-len(returns) // (INTERVAL * MOST_POINTS)))
        draw_goal(axes, goal)
        draw_marks(axes, marks, EVALUATED)
        axes.legend(loc="best", edgecolor="none")
    figure.savefig(path, format="png", dpi=120)


def draw_rewards(axes: Any, returns: Sequence[float], interval: int) -> None:
    """Draw means and deviations of every `interval` episodes and, for a short run, single episodes."""
    axes.set_xlim(0, 1.02 * max(len(returns), interval))
    if len(returns) < SINGLES:
        each = np.arange(1, len(returns) + 1)
        axes.plot(each, returns, ".", color=INK, alpha=0.4, markersize=5, label="training episode")
    episodes, means, deviations = average_intervals(returns, interval)
    if len(episodes) == 0:
        return
    low, high = means - deviations, means + deviations
    axes.fill_between(episodes, low, high, color=BAND, alpha=0.3, linewidth=0, label="± standard deviation")
    axes.plot(
        episodes,
        means,
        color=LINE,
        linewidth=1.6,
        marker="o" if len(means) < 30 else "",
        markersize=4,
        label=f"mean of {interval} training episodes",
    )


def draw_marks(axes: Any, marks: Sequence[Mark], colour: str, named: bool = True) -> None:
    """Draw evaluations as diamonds, and a star where one solved the environment.

    named  they stand in the legend
    """
    seen: dict[str, Any] = {"color": colour, "linestyle": "", "markeredgecolor": "white", "zorder": 3}
    for solved, marker, size, name in ((False, "D", 6, "evaluation"), (True, "*", 16, "solved")):
        chosen = [mark for mark in marks if mark.solved == solved]
        if chosen:
            x, means = [mark.x for mark in chosen], [mark.mean for mark in chosen]
            axes.plot(x, means, marker=marker, markersize=size, label=name if named else None, **seen)


def draw_goal(axes: Any, goal: float | None) -> None:
    """Draw the mean return of a solved environment as a dashed line, if there is one."""
    if goal is not None:
        axes.axhline(goal, color=INK, linestyle="--", linewidth=1, label=f"goal {goal:g}")


def average_intervals(returns: Sequence[float], interval: int) -> tuple[Array, Array, Array]:
    """Return last episode, mean and deviation of each `interval` episodes; a rest is left out."""
    whole = len(returns) // interval
    groups = np.asarray(returns[: whole * interval], float).reshape(whole, interval)
    return interval * np.arange(1, whole + 1), groups.mean(axis=1), groups.std(axis=1)


def new_figure(title: str, xlabel: str, ylabel: str) -> tuple[Any, Any]:
    """Make a figure with one pair of axes."""
    figure = blank_figure(8, 4.5)
    axes = figure.add_subplot()
    name_axes(axes, title, xlabel, ylabel)
    return figure, axes


def name_axes(axes: Any, title: str, xlabel: str, ylabel: str) -> None:
    """Give axes their texts, and the look of all plots."""
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def blank_figure(width: float, height: float) -> Any:
    """Make a figure of this size in inches that needs no screen, whatever matplotlib's backend is."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
