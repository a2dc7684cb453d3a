"""`python -m rl compare SWEEP...`: compare settings over several seeds, on one page.

Runs that differ only in their seed are one setting. rl/sweeps/statistics.py defines the figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import Positional, UseAppendAction, arg

from rl.command.errors import require
from rl.sweeps.comparison import compare, read_scale
from rl.sweeps.comparison_page import render
from rl.sweeps.comparison_text import make_table
from rl.sweeps.results import collect_results
from rl.tools.command import require_output, run_tool

EXAMPLES = (
    "python -m rl compare runs/sweep__dqn__*",
    "python -m rl compare SWEEP OTHER_SWEEP --threshold 150 --out comparison.html",
)


@dataclass(frozen=True)
class Settings:
    """Which runs, and how they are compared."""

    sweeps: Annotated[Positional[tuple[str, ...]], arg(metavar="SWEEP...")] = ()
    """folders of sweeps, or of single runs"""
    out: str = "comparison.html"
    """the page: an .html file"""
    threshold: float | None = None
    """count the steps to this mean return of training episodes (for runs with keep-going=true); none = to the
    article's goal
    """
    window: int = 0
    """training episodes averaged for the threshold and for a point of the curves; 0 = 100, and a tenth of the
    shortest run
    """
    scale: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="ENV=LOW,HIGH")] = ()
    """the scores of an environment that become 0 and 1; needed to compare over several environments"""


def main(argv: list[str]) -> int:
    """Run the tool; returns its exit code."""
    summary = "Compares the settings of sweeps: scores with intervals, steps to the goal."
    return run_tool("compare", Settings, run, argv, summary, EXAMPLES)


def run(settings: Settings) -> int:
    """Read the runs, compare them, print the table, write the page."""
    path = require_output(settings.out, ".html")
    require(settings.window >= 0, f"--window is {settings.window}", "give a whole number >= 0")
    results = collect_results(settings.sweeps)
    comparison = compare(results, read_scale(settings.scale), settings.threshold, settings.window)
    print(make_table(comparison))
    path.write_text(render(comparison), encoding="utf-8", errors="replace")
    print(f'open it:  python -m webbrowser "{path.resolve().as_uri()}"')
    return 0
