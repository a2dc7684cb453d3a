"""`python -m rl all`: run every article and write one page with all results.

Each article runs as a process of its own, so that one that fails cannot stop the others; its failure is on
the page. The page needs nothing but itself: pictures, animations and players are in it.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path

from rl.articles import ARTICLES
from rl.command.errors import UsageError, require
from rl.runs import run_folder
from rl.tools.command import tool
from rl.tools.exhibits import EXHIBITS
from rl.tools.page import Report, page
from rl.tools.runner import Outcome, run_article

PAGE = "report.html"
EXAMPLES = ("python -m rl all", "python -m rl all --quick", "python -m rl all --only digits,maze --seed 3")


@dataclass
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
        """The articles asked for, in their order; raises UsageError for one that does not exist."""
        known = [article.module for article in ARTICLES]
        asked = [
            name.strip().removeprefix("rl.").replace("-", "_")
            for name in self.only.split(",")
            if name.strip()
        ]
        for name in asked:
            require(name in known, f"--only: there is no article {name!r}", f"choose from {', '.join(known)}")
        return [name for name in known if name in asked or not asked]


def main(argv: list[str]) -> int:
    """Run the tool; returns 0 when every article ran and reached what it promises."""
    return tool(
        "all", Settings, run, argv, "Runs every article and writes one page with all results.", EXAMPLES
    )


def run(settings: Settings) -> int:
    """Run the articles one after the other; the page is there after each, with all that is known so far."""
    modules = settings.modules()
    for name in ("seed", "num_threads"):
        if getattr(settings, name) < 0:
            raise UsageError(
                f"--{name.replace('_', '-')} is {getattr(settings, name)}", "give a whole number >= 0"
            )
    kind = "quick" if settings.quick else "full"
    folder = run_folder.create(settings.out, "all", kind, settings.seed, dataclasses.asdict(settings))
    print(f"{len(modules)} articles, {kind} run, seed {settings.seed}; folder {folder}", flush=True)
    begin = time.perf_counter()
    outcomes: list[Outcome] = []
    try:
        for number, module in enumerate(modules, start=1):
            print(f"[{number:2}/{len(modules)}] rl.{module}", flush=True)
            outcomes.append(run_article(module, flags_of(module, settings), folder, settings.quick, say))
            print("      " + told(outcomes[-1]), flush=True)
            write(folder, settings, outcomes, time.perf_counter() - begin)
    finally:
        if outcomes:
            tell_page(folder, outcomes, len(modules), time.perf_counter() - begin)
    return 0 if all(outcome.reached for outcome in outcomes) else 1


def flags_of(module: str, settings: Settings) -> list[str]:
    """The article's command line in this run."""
    short = list(EXHIBITS[module].quick) if settings.quick else []
    threads = ["--num-threads", str(settings.num_threads)] if settings.num_threads else []
    return [*short, "--seed", str(settings.seed), *threads]


def told(outcome: Outcome) -> str:
    """One line about one article."""
    if outcome.problem:
        return f"{outcome.seconds:.1f} s  FAILED  {outcome.problem}"
    row = outcome.headline
    figure = f"{row.name}: {row.here}" if row else ""
    return f"{outcome.seconds:.1f} s  {'ok' if outcome.reached else 'NOT REACHED'}  {figure}"


def write(folder: Path, settings: Settings, outcomes: list[Outcome], seconds: float) -> None:
    """The page."""
    report = Report(
        outcomes, settings.quick, settings.seed, seconds, run_folder.machine(), run_folder.versions()
    )
    (folder / PAGE).write_text(page(report), encoding="utf-8")


def tell_page(folder: Path, outcomes: list[Outcome], asked: int, seconds: float) -> None:
    """The last lines: what was reached, and where the page is."""
    reached = sum(outcome.reached for outcome in outcomes)
    path = (folder / PAGE).resolve()
    print(f"{reached} of {asked} as expected, {seconds:.0f} s; page: {path}")
    print(f'open it:  python -m webbrowser "{path.as_uri()}"')


def say(line: str) -> None:
    print(line, flush=True)
