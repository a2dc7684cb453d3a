"""The pictures of a comparison, each as the bytes of a PNG."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from rl.sweeps.comparison import Compared, Comparison
from rl.tools.plot import COLOURS, STYLES
from rl.watch.plots import new_figure

BAND = {"alpha": 0.15, "linewidth": 0}


def scores(comparison: Comparison) -> bytes:
    """The interquartile mean of each group with its interval, and every run as a point."""
    figure, axes = new_figure("", unit(comparison), "")
    figure.set_size_inches(8, 1.2 + 0.55 * len(comparison.groups))
    for place, (one, style) in enumerate(styled(comparison)):
        points = np.concatenate(one.group.scores(comparison.tasks))
        spread = np.linspace(-0.16, 0.16, len(points)) if len(points) > 1 else [0.0]
        axes.plot(
            points,
            place + np.asarray(spread),
            "o",
            color=style["color"],
            alpha=0.3,
            markersize=4,
            markeredgewidth=0,
        )
        axes.plot(
            [one.score.low, one.score.high],
            [place, place],
            color=style["color"],
            linewidth=7,
            alpha=0.45,
            solid_capstyle="butt",
        )
        axes.plot([one.score.value] * 2, [place - 0.24, place + 0.24], color=style["color"], linewidth=2.5)
    axes.set_yticks(range(len(comparison.groups)), [one.group.label for one in comparison.groups])
    axes.set_ylim(len(comparison.groups) - 0.5, -0.5)
    return saved(figure)


def profiles(comparison: Comparison) -> bytes:
    """The share of runs better than each threshold."""
    word = "above" if comparison.measure.better == "higher" else "below"
    figure, axes = new_figure("", f"threshold: {unit(comparison)}", f"share of runs {word} it")
    for one, style in styled(comparison):
        axes.fill_between(
            comparison.thresholds, one.profile.low, one.profile.high, color=style["color"], **BAND
        )
        axes.plot(comparison.thresholds, one.profile.value, label=one.group.label, **style)
    axes.set_ylim(-0.02, 1.02)
    axes.legend(loc="best", frameon=False)
    return saved(figure)


def reaching(comparison: Comparison) -> bytes:
    """The share of runs that have reached the goal after so many steps; a cross where a run ended without
    it.
    """
    figure, axes = new_figure("", comparison.measure.steps, "share of runs that have reached it")
    for one, style in styled(comparison):
        if one.reaching is None:
            continue
        end = max(run.steps for run in one.group.runs)
        x = np.concatenate(([0.0], one.reaching.steps, [end]))
        y = np.concatenate(([0.0], one.reaching.share, one.reaching.share[-1:]))
        axes.step(x, y, where="post", label=one.group.label, **style)
        ended = [run.steps for run in one.group.runs if not run.solved]
        axes.plot(ended, np.interp(ended, x, y), "x", color=style["color"])
    axes.set(xlim=(0, None), ylim=(-0.02, 1.05))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.legend(loc="best", frameon=False)
    return saved(figure)


def curves(comparison: Comparison) -> bytes:
    """The mean of the learning curves with its interval."""
    words = "return" if comparison.window == 1 else f"return, mean of {comparison.window} episodes"
    figure, axes = new_figure("", "environment steps", words)
    for one, style in styled(comparison):
        if one.curve is not None:
            x, mean = one.curve
            axes.fill_between(x, mean.low, mean.high, color=style["color"], **BAND)
            axes.plot(x, mean.value, label=one.group.label, **style)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.legend(loc="best", frameon=False)
    return saved(figure)


def styled(comparison: Comparison) -> Iterator[tuple[Compared, dict[str, Any]]]:
    """Each group with its colour, the same in every picture."""
    for number, one in enumerate(comparison.groups):
        yield (
            one,
            {
                "color": COLOURS[number % len(COLOURS)],
                "linestyle": STYLES[number // len(COLOURS) % len(STYLES)],
                "linewidth": 1.8,
            },
        )


def unit(comparison: Comparison) -> str:
    """What a score is."""
    return "scaled score" if comparison.scaled else comparison.measure.score


def saved(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()
