"""Plot a comparison; each function returns the bytes of a PNG."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from rl.pages.lines import line_style
from rl.sweeps.comparison import Comparison, GroupFigures
from rl.watch.plots import new_figure

BAND = {"alpha": 0.15, "linewidth": 0}


def plot_scores(comparison: Comparison) -> bytes:
    """Plot the interquartile mean of each group with its interval, and every run as a point."""
    figure, axes = new_figure("", score_name(comparison), "")
    figure.set_size_inches(8, 1.2 + 0.55 * len(comparison.groups))
    for place, (one, style) in enumerate(with_styles(comparison)):
        colour, points = style["color"], np.concatenate(one.group.scores(comparison.tasks))
        heights = place + (np.linspace(-0.16, 0.16, len(points)) if len(points) > 1 else np.zeros(1))
        axes.plot(points, heights, "o", color=colour, alpha=0.3, markersize=4, markeredgewidth=0)
        interval = {"linewidth": 7, "alpha": 0.45, "solid_capstyle": "butt"}
        axes.plot([one.score.low, one.score.high], [place, place], color=colour, **interval)
        axes.plot([one.score.value] * 2, [place - 0.24, place + 0.24], color=colour, linewidth=2.5)
    axes.set_yticks(range(len(comparison.groups)), [one.group.label for one in comparison.groups])
    axes.set_ylim(len(comparison.groups) - 0.5, -0.5)
    return encode_png(figure)


def plot_profiles(comparison: Comparison) -> bytes:
    """Plot the share of runs better than each threshold."""
    word = "above" if comparison.measure.better == "higher" else "below"
    figure, axes = new_figure("", f"threshold: {score_name(comparison)}", f"share of runs {word} it")
    for one, style in with_styles(comparison):
        band = (one.profile.low, one.profile.high)
        axes.fill_between(comparison.thresholds, *band, color=style["color"], **BAND)
        axes.plot(comparison.thresholds, one.profile.value, label=one.group.label, **style)
    axes.set_ylim(-0.02, 1.02)
    axes.legend(loc="best", frameon=False)
    return encode_png(figure)


def plot_time_to_goal(comparison: Comparison) -> bytes:
    """Plot the share of runs that have reached the goal over steps; a cross marks a run that did not."""
    figure, axes = new_figure("", comparison.measure.steps, "share of runs that have reached it")
    for one, style in with_styles(comparison):
        if one.time is None:
            continue
        end = max(result.steps for result in one.group.results)
        x = np.concatenate(([0.0], one.time.steps, [end]))
        y = np.concatenate(([0.0], one.time.share, one.time.share[-1:]))
        axes.step(x, y, where="post", label=one.group.label, **style)
        censored = [result.steps for result in one.group.results if not result.solved]
        axes.plot(censored, np.interp(censored, x, y), "x", color=style["color"])
    axes.set(xlim=(0, None), ylim=(-0.02, 1.05))
    finish_steps(axes)
    return encode_png(figure)


def plot_curves(comparison: Comparison) -> bytes:
    """Plot the mean of the learning curves with its interval."""
    words = "return" if comparison.window == 1 else f"return, mean of {comparison.window} episodes"
    figure, axes = new_figure("", "environment steps", words)
    for one, style in with_styles(comparison):
        if one.curve is not None:
            x, mean = one.curve
            axes.fill_between(x, mean.low, mean.high, color=style["color"], **BAND)
            axes.plot(x, mean.value, label=one.group.label, **style)
    axes.set_xlim(left=0)
    finish_steps(axes)
    return encode_png(figure)


def finish_steps(axes: Any) -> None:
    """Add the legend, and commas to the numbers of steps."""
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.legend(loc="best", frameon=False)


def with_styles(comparison: Comparison) -> Iterator[tuple[GroupFigures, dict[str, Any]]]:
    """Iterate over the groups with their line styles, which are the same in every plot."""
    for number, one in enumerate(comparison.groups):
        yield one, {**line_style(number), "linewidth": 1.8}


def score_name(comparison: Comparison) -> str:
    """Name the score."""
    return "scaled score" if comparison.scaled else comparison.measure.score


def encode_png(figure: Any) -> bytes:
    """Render the figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()
