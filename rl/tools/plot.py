"""`python -m rl plot RUN...`: plot the learning curves of several runs in one picture.

Runs that differ only in their seed make one curve: their mean, a band of one standard deviation over the
seeds, and each run as a thin line. For a single run the band is the deviation of its own episodes, and its
evaluations are marked. A star is where a run was solved, a dashed line the goal.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

from rl.articles import module_of
from rl.command.errors import require
from rl.pages.curves import Curve, average_over_seeds, default_window, find_runs, read_curve, smooth
from rl.pages.groups import group_by_settings
from rl.pages.lines import line_style
from rl.tools.command import require_output, run_tool
from rl.watch.plots import INK, draw_goal, draw_marks, new_figure

AXES = {"steps": "environment steps", "episodes": "episodes", "seconds": "seconds of training"}
EXAMPLES = ("python -m rl plot runs/dqn__*", "python -m rl plot RUN OTHER_RUN --x seconds --out curves.svg")


@dataclass(frozen=True)
class Settings:
    """Which runs, and how they are drawn."""

    runs: Annotated[Positional[tuple[str, ...]], arg(metavar="RUN...")] = ()
    """folders of runs"""
    out: str = "learning.png"
    """the picture: a .png or .svg file"""
    x: Literal["steps", "episodes", "seconds"] = "steps"
    """the horizontal axis"""
    window: int = 0
    """episodes averaged for each point; 0 = a tenth of the shortest run, at most 100"""


def main(argv: list[str]) -> int:
    """Run the tool; returns its exit code."""
    summary = "Plots the learning curves of several runs in one picture."
    return run_tool("plot", Settings, run, argv, summary, EXAMPLES)


def run(settings: Settings) -> int:
    """Read the runs, draw the picture, print its path."""
    path = require_output(settings.out, ".png", ".svg")
    require(settings.window >= 0, f"--window is {settings.window}", "give a whole number >= 0")
    curves = [read_curve(folder, settings.x) for folder in find_runs(settings.runs)]
    groups = group_by_settings(curves)
    window = settings.window or default_window(curves)
    draw(path, groups, settings.x, window)
    print(
        f"{len(curves)} run(s), {len(groups)} setting(s), a point is the mean of {window} episode(s): {path}"
    )
    return 0


def draw(path: Path, groups: list[tuple[str, list[Curve]]], axis: str, window: int) -> None:
    """Draw all groups, each (label, curves)."""
    environments = sorted({str(curve.settings.get("env_id", "")) for _, curves in groups for curve in curves})
    ylabel = "return" if window == 1 else f"return, mean of {window} episodes"
    figure, axes = new_figure(" and ".join(environments), AXES[axis], ylabel)
    goals = {curve.goal for _, curves in groups for curve in curves}
    if len(goals) == 1:
        draw_goal(axes, *goals)
    for number, (label, curves) in enumerate(groups):
        name = f"{module_of(curves[0].article)} {label}".strip()
        count = f", {len(curves)} runs" if len(curves) > 1 else ""
        draw_group(axes, name + count, curves, window, line_style(number))
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(
        lambda value, _: f"{value:,.0f}" if abs(value) >= 10 or value == int(value) else f"{value:g}"
    )
    axes.legend(loc="best", edgecolor="none")
    figure.supxlabel(caption(groups), fontsize=8, color=INK)
    figure.savefig(path, format=path.suffix[1:], dpi=120)


def draw_group(axes: Any, label: str, curves: list[Curve], window: int, style: dict[str, str]) -> None:
    """Draw a mean with its band: over the episodes of a single run, or over several runs."""
    lines = [smooth(curve.returns, window) for curve in curves]
    if len(curves) == 1:
        x, (means, deviations) = curves[0].x, lines[0]
    else:
        for curve, (line, _) in zip(curves, lines):
            axes.plot(curve.x, line, linewidth=0.8, alpha=0.35, **style)
        x, means, deviations = average_over_seeds(curves, window)
    axes.fill_between(
        x, means - deviations, means + deviations, color=style["color"], alpha=0.15, linewidth=0
    )
    axes.plot(x, means, linewidth=1.8, label=label, **style)
    for curve in curves:
        marks = curve.marks if len(curves) == 1 else [mark for mark in curve.marks if mark.solved]
        draw_marks(axes, marks, style["color"], named=False)


def caption(groups: list[tuple[str, list[Curve]]]) -> str:
    """Say what band, thin lines and marks are."""
    one, many = any(len(c) == 1 for _, c in groups), any(len(c) > 1 for _, c in groups)
    marks = [mark for _, curves in groups for curve in curves for mark in curve.marks]
    parts = [
        "band: one standard deviation of the episodes" if one else "",
        "band: one standard deviation over the runs; thin lines: single runs" if many else "",
        "diamond: evaluation" if one and any(not mark.solved for mark in marks) else "",
        "star: solved" if any(mark.solved for mark in marks) else "",
    ]
    return "; ".join(part for part in parts if part)
