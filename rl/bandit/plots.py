"""The bandit's two pictures, and the bound in the second."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnlite.arrays import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GAP = 0.5  # coins between that line and the lowest curve
LATE = 0.2  # share of the plays from which on the bound's slope is drawn
# Colour-blind readers can distinguish these too.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")


def relative_entropy(p: float, q: float) -> float:
    """Return the KL divergence of two coins, p ln(p/q) + (1-p) ln((1-p)/(1-q)).

    It is inf where q rules out what p allows.
    """
    total = 0.0
    for a, b in ((p, q), (1 - p, 1 - q)):
        if a > 0:
            total += a * math.log(a / b) if b > 0 else math.inf
    return total


def lai_robbins(chances: Array) -> float:
    """Return the slope C of the lower bound C * ln t on the regret of any algorithm good on all arms.

    C = sum over the worse arms of (p* - p) / KL(p, p*).  Source: Lai and Robbins 1985.
    """
    best = float(np.max(chances))
    return float(sum((best - p) / relative_entropy(float(p), best) for p in chances if p < best))


def draw_rewards(path: Path, curves: dict[str, Array], title: str) -> None:
    """Draw the article's picture: mean reward (T,) of each play, one curve for each algorithm."""
    figure, axes = _figure(title, "mean reward of the play")
    for (label, curve), colour in zip(curves.items(), COLOURS):
        axes.plot(np.arange(1, len(curve) + 1), curve, color=colour, label=label, linewidth=1.2)
    axes.set_ylim(0, 1)
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=120)


def draw_regret(path: Path, curves: dict[str, Array], slope: float) -> None:
    """Draw the cumulative regret (T,) of each algorithm over the logarithm of plays.

    The bound says how steep a curve must become at least, not how high it must lie: it is a line below all of
    them.
    """
    figure, axes = _figure("What the wrong arms cost", "cumulative regret (coins)")
    plays = np.arange(1, len(next(iter(curves.values()))) + 1)
    for (label, curve), colour in zip(curves.items(), COLOURS):
        axes.plot(plays, curve, color=colour, label=label)
    late = plays >= LATE * len(plays)
    bound = slope * np.log(plays[late])
    room = min(float(np.min(curve[late] - bound)) for curve in curves.values())
    label = f"least slope in the long run: {slope:.2f} ln t (Lai and Robbins)"
    axes.plot(plays[late], bound + room - GAP, "k--", label=label)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.legend(loc="upper left")
    figure.savefig(path, dpi=120)


def _figure(title: str, ylabel: str) -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.8), layout="constrained")
    FigureCanvasAgg(figure)  # draws without a screen, whatever matplotlib is set to
    axes = figure.add_subplot()
    axes.set(title=title, xlabel="play", ylabel=ylabel)
    axes.grid(alpha=0.3)
    return figure, axes
