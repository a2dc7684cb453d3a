"""`python -m rl all`: run every article and write one page with all results.

Each article runs in its own process: one that fails does not stop the others, and its error is on the page.
The page is a single file; pictures, animations and players are embedded.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path

from rl.articles import ARTICLES
from rl.command.errors import require
from rl.command.settings import format_flag
from rl.command.text import format_duration
from rl.runs import run_folder
from rl.tools.command import run_tool
from rl.tools.exhibits import EXHIBITS
from rl.tools.report import Report, render
from rl.tools.runner import Outcome, run_article

PAGE = "report.html"
EXAMPLES = ("python -m rl all", "python -m rl all --quick", "python -m rl all --only digits,maze --seed 3")


@dataclass(frozen=True)
class Settings:
    """Which articles, and how thoroughly."""

    quick: bool = False
    """minutes instead of a long coffee: short runs of the two articles that learn from the screen"""
    only: str = ""
    """these articles, with commas between; none = all ten"""
    seed: int = 0
    """every random number follows from it"""
    out: str = "runs"
    """folder that receives the folder of this run"""
    num_threads: int = 0
    """threads of the kernels; 0 = one for each core"""

    def modules(self) -> list[str]:
        """Return the chosen articles in their order; raises UsageError for an unknown one."""
        known = [article.module for article in ARTICLES]
        names = [name.strip() for name in self.only.split(",") if name.strip()]
        asked = [name.removeprefix("rl.").replace("-", "_") for name in names]
        for name in asked:
            require(name in known, f"--only: there is no article {name!r}", f"choose from {', '.join(known)}")
        return [name for name in known if name in asked or not asked]


def main(argv: list[str]) -> int:
    """Run the tool; returns 0 when every article ran and reached its expected result."""
    summary = "Runs every article and writes one page with all results."
    return run_tool("all", Settings, run, argv, summary, EXAMPLES)


def run(settings: Settings) -> int:
    """Run the articles one after the other; the page is written after each, with the results so far."""
    modules = settings.modules()
    for name in ("seed", "num_threads"):
        value = getattr(settings, name)
        require(value >= 0, f"{format_flag(name)} is {value}", "give a whole number >= 0")
    kind = "quick" if settings.quick else "full"
    folder = run_folder.create(settings.out, "all", kind, settings.seed, dataclasses.asdict(settings))
    print(f"{len(modules)} articles, {kind} run, seed {settings.seed}; folder {folder}", flush=True)
    begin = time.perf_counter()
    outcomes: list[Outcome] = []
    try:
        for number, module in enumerate(modules, start=1):
            print(f"[{number:2}/{len(modules)}] rl.{module}", flush=True)
            outcomes.append(run_article(module, flags_of(module, settings), folder, settings.quick))
            print("      " + outcome_line(outcomes[-1]), flush=True)
            write_page(folder, settings, outcomes, time.perf_counter() - begin)
    finally:
        if outcomes:
            print_ending(folder, outcomes, len(modules), time.perf_counter() - begin)
    return 0 if all(outcome.reached for outcome in outcomes) else 1


def flags_of(module: str, settings: Settings) -> list[str]:
    """Return the article's flags in this run."""
    short = list(EXHIBITS[module].quick) if settings.quick else []
    threads = ["--num-threads", str(settings.num_threads)] if settings.num_threads else []
    return [*short, "--seed", str(settings.seed), *threads]


def outcome_line(outcome: Outcome) -> str:
    """Describe one article's outcome on one line."""
    seconds = format_duration(outcome.seconds)
    if outcome.problem:
        return f"{seconds}  FAILED  {outcome.problem}"
    row = outcome.headline
    figure = f"{row.name}: {row.here}" if row else ""
    return f"{seconds}  {'ok' if outcome.reached else 'NOT REACHED'}  {figure}"


def write_page(folder: Path, settings: Settings, outcomes: list[Outcome], seconds: float) -> None:
    """Write the page of the outcomes so far."""
    machine, versions = run_folder.describe_machine(), run_folder.list_versions()
    report = Report(outcomes, settings.quick, settings.seed, seconds, machine, versions)
    (folder / PAGE).write_text(render(report), encoding="utf-8", errors="replace")


def print_ending(folder: Path, outcomes: list[Outcome], asked: int, seconds: float) -> None:
    """Print how many results were reached, and where the page is."""
    reached = sum(outcome.reached for outcome in outcomes)
    path = (folder / PAGE).resolve()
    print(f"{reached} of {asked} as expected, {format_duration(seconds)}; page: {path}")
    print(f'open it:  python -m webbrowser "{path.as_uri()}"')
