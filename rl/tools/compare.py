"""`python -m rl compare SWEEP...`: settings beside each other, with what several seeds let one say, on one
page.

Runs that differ in their seed only are one setting. See rl/sweeps/statistics.py for what is computed and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, UseAppendAction, arg

from rl.command.errors import require
from rl.tools.command import tool

EXAMPLES = (
    "python -m rl compare runs/sweep__dqn__*",
    "python -m rl compare SWEEP OTHER_SWEEP --threshold 150 --out comparison.html",
)


@dataclass
class Settings:
    """Which runs, and how they are judged."""

    sweeps: Annotated[Positional[tuple[str, ...]], arg(metavar="SWEEP...")] = ()
    """folders of sweeps, or of single runs"""
    out: str = "comparison.html"
    """the page: an .html file"""
    threshold: float | None = None
    """count steps to this mean return of the training episodes, which needs runs with keep-going=true; none
    = to the article's goal
    """
    window: int = 0
    """training episodes of that mean and of a point of the curves; 0 = 100, and the usual"""
    scale: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="ENV=LOW,HIGH")] = ()
    """scores of an environment that become 0 and 1; needed to compare over several environments"""


def main(argv: list[str]) -> int:
    """Run the tool; returns its exit code."""
    return tool(
        "compare",
        Settings,
        run,
        argv,
        "Compares the settings of sweeps: scores with intervals, steps to the goal.",
        EXAMPLES,
    )


def run(settings: Settings) -> int:
    """Read, compare, print the table, write the page."""
    from rl.sweeps.collect import collect
    from rl.sweeps.comparison import compare, read_scale
    from rl.sweeps.comparison_page import page
    from rl.sweeps.comparison_text import as_table

    path = Path(settings.out)
    require(path.suffix == ".html", f"--out is {settings.out}", "name an .html file")
    require(
        path.parent.is_dir(), f"there is no folder {path.parent}", "make it, or name another file with --out"
    )
    require(settings.window >= 0, f"--window is {settings.window}", "give a whole number >= 0")
    comparison = compare(
        collect(settings.sweeps), read_scale(settings.scale), settings.threshold, settings.window
    )
    print(as_table(comparison))
    path.write_text(page(comparison), encoding="utf-8")
    print(f'open it:  python -m webbrowser "{path.resolve().as_uri()}"')
    return 0
