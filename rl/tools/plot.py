"""`python -m rl plot RUN...`: lay the learning curves of several runs over each other.

Runs that differ only in their seed make one curve: their mean, a band of one standard deviation over the
seeds, and each of them as a thin line. A run that is alone shows the deviation of its own episodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

from rl.command.errors import require
from rl.pages.curves import (
    Curve,
    find_runs,
    grouped_by_setting,
    mean_over_seeds,
    read_curve,
    smoothed,
    usual_window,
)
from rl.tools.command import tool
from rl.watch.plots import new_figure

COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#444444",
)  # told apart by the colour-blind too
STYLES = ("-", "--", ":")  # once the colours are used up
AXES = {"steps": "environment steps", "episodes": "episodes", "seconds": "seconds of training"}
EXAMPLES = ("python -m rl plot runs/dqn__*", "python -m rl plot RUN OTHER_RUN --x seconds --out curves.svg")


@dataclass
class Settings:
    """Which runs, and how they are drawn."""

    runs: Annotated[Positional[tuple[str, ...]], arg(metavar="RUN...")] = ()
    """folders of runs"""
    out: str = "learning.png"
    """the picture: a .png or .svg file"""
    x: Literal["steps", "episodes", "seconds"] = "steps"
    """what runs to the right"""
    window: int = 0
    """episodes that a point is the mean of; 0 = a tenth of the shortest run, at most 100"""


def main(argv: list[str]) -> int:
    """Run the tool; returns its exit code."""
    return tool(
        "plot", Settings, run, argv, "Lays the learning curves of several runs over each other.", EXAMPLES
    )


def run(settings: Settings) -> int:
    """Read, draw, say where the picture is."""
    path = Path(settings.out)
    require(path.suffix in (".png", ".svg"), f"--out is {settings.out}", "name a .png or .svg file")
    require(
        path.parent.is_dir(), f"there is no folder {path.parent}", "make it, or name another file with --out"
    )
    require(settings.window >= 0, f"--window is {settings.window}", "give a whole number >= 0")
    curves = [read_curve(folder, settings.x) for folder in find_runs(settings.runs)]
    groups = grouped_by_setting(curves)
    window = settings.window or usual_window(curves)
    draw(path, groups, settings.x, window)
    print(
        f"{len(curves)} run(s), {len(groups)} setting(s), a point is the mean of {window} episode(s): {path}"
    )
    return 0


def draw(path: Path, groups: list[tuple[str, list[Curve]]], axis: str, window: int) -> None:
    """The picture of all groups."""
    environments = sorted({str(curve.settings.get("env_id", "")) for _, curves in groups for curve in curves})
    figure, axes = new_figure(
        " and ".join(environments),
        AXES[axis],
        "return" if window == 1 else f"return, mean of {window} episodes",
    )
    for number, (label, curves) in enumerate(groups):
        style = {
            "color": COLOURS[number % len(COLOURS)],
            "linestyle": STYLES[number // len(COLOURS) % len(STYLES)],
        }
        draw_group(axes, label, curves, window, style)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(
        lambda value, _: f"{value:,.0f}" if abs(value) >= 10 or value == int(value) else f"{value:g}"
    )
    axes.legend(loc="best", frameon=False)
    figure.savefig(path, format=path.suffix[1:], dpi=120)


def draw_group(axes: Any, label: str, curves: list[Curve], window: int, style: dict[str, str]) -> None:
    """One setting: the run itself with the deviation of its episodes, or the mean of several with theirs."""
    lines = [smoothed(curve.returns, window) for curve in curves]
    if len(curves) == 1:
        x, (means, deviations) = curves[0].x, lines[0]
    else:
        for curve, (line, _) in zip(curves, lines):
            axes.plot(curve.x, line, linewidth=0.8, alpha=0.35, **style)
        x, means, deviations = mean_over_seeds(curves, window)
    axes.fill_between(
        x, means - deviations, means + deviations, color=style["color"], alpha=0.15, linewidth=0
    )
    axes.plot(x, means, linewidth=1.8, label=label, **style)
