"""The articles' pictures of a run.

matplotlib is imported when the first one is drawn, and never through pyplot.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnlite.arrays import Array

INTERVAL = 10  # episodes of a point, as in the articles
MOST_POINTS = 500  # a longer run gets longer intervals
SINGLES = 60  # a shorter run shows its single episodes too
LINE, BAND, INK = "#0072b2", "#56b4e9", "#444444"  # told apart by the colour-blind too


def reward_plot(path: Path, returns: Sequence[float], title: str) -> None:
    """The articles' "Rewards History": mean of every 10 episodes, with a band of one standard deviation on
    each side.

    returns  the return of each training episode, in their order; none at all gives a plot that says so

    A run of more than 5,000 episodes takes more of them to a point, as the legend says.
    """
    figure, axes = new_figure(title, "episode", "return")
    if len(returns) == 0:
        axes.text(
            0.5, 0.5, "no episode was finished", ha="center", va="center", color=INK, transform=axes.transAxes
        )
        axes.set(xticks=[], yticks=[])
    else:
        interval = INTERVAL * -(-len(returns) // (INTERVAL * MOST_POINTS))
        if len(returns) < SINGLES:
            axes.plot(
                np.arange(1, len(returns) + 1),
                returns,
                ".",
                color=INK,
                alpha=0.4,
                markersize=5,
                label="an episode",
            )
        episodes, means, deviations = grouped(returns, interval)
        axes.fill_between(
            episodes,
            means - deviations,
            means + deviations,
            color=BAND,
            alpha=0.3,
            linewidth=0,
            label="± standard deviation",
        )
        axes.plot(
            episodes,
            means,
            color=LINE,
            linewidth=1.6,
            marker="o" if len(means) < 30 else "",
            markersize=4,
            label=f"mean of {interval} episodes",
        )
        axes.set_xlim(0, 1.02 * max(len(returns), interval))
        axes.legend(loc="best", frameon=False)
    figure.savefig(path, format="png", dpi=120)


def grouped(returns: Sequence[float], interval: int) -> tuple[Array, Array, Array]:
    """Last episode, mean and standard deviation of each `interval` episodes; the last group may be
    smaller.
    """
    values = np.asarray(returns, float)
    groups = [values[start : start + interval] for start in range(0, len(values), interval)]
    ends = np.cumsum([len(group) for group in groups])
    return ends, np.array([group.mean() for group in groups]), np.array([group.std() for group in groups])


def new_figure(title: str, xlabel: str, ylabel: str) -> tuple[Any, Any]:
    """A figure with one pair of axes that draws without a screen, whatever matplotlib is set to."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
