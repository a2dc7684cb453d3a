"""Write the runs of docs/results/elsewhere.jsonl into the tables of docs/results/elsewhere.md.

    python -m bench.elsewhere.table

The page marks the places: a line `<!-- runs: ENVIRONMENT -->`, the table, a line `<!-- end -->`. The place
`<!-- runs: all -->` has one row for each environment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.elsewhere.task import AGENTS, ENVS
from bench.harness import ROOT

RUNS = ROOT / "docs" / "results" / "elsewhere.jsonl"
PAGE = ROOT / "docs" / "results" / "elsewhere.md"
PLACE = re.compile(r"(<!-- runs: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
ALL = "all"
HEAD = ("agent", "solved", "steps to solved", "steps allowed", "mean return", "processor seconds")
SIDES = {"ours": "nnlite-rl", "sb3": "SB3"}
ROWS = [(side, agent) for side, agents in AGENTS.items() for agent in agents]
NONE = "–"

Run = dict[str, Any]


def main() -> None:
    """Update the page in place."""
    text = updated(PAGE.read_text(encoding="utf-8"), read(RUNS))
    PAGE.write_text(text, encoding="utf-8", newline="\n")


def read(path: Path) -> list[Run]:
    """Read the runs of a file, one on each line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def updated(page: str, runs: Sequence[Run]) -> str:
    """Return the page with the tables of these runs. Raises KeyError for a place that no environment has."""
    tables = {ALL: overview(runs), **{env: table(env, runs) for env in ENVS}}
    return PLACE.sub(lambda place: f"{place[1]}{tables[place[2]]}\n{place[3]}", page)


def overview(runs: Sequence[Run]) -> str:
    """Return the table of how many seeds were solved: environments down, agents across."""
    head = ("environment", *(name_of(*row) for row in ROWS))
    lines = [(env, *(solved(chosen(runs, env, *row)) for row in ROWS)) for env in ENVS]
    return drawn(head, lines)


def table(env: str, runs: Sequence[Run]) -> str:
    """Return the table of one environment: a row for each agent that has runs."""
    found = {row: chosen(runs, env, *row) for row in ROWS}
    return drawn(HEAD, [(name_of(*row), *cells(those)) for row, those in found.items() if those])


def cells(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return the figures of one agent on one environment."""
    steps = [run["steps_to_solved"] for run in runs if run["solved"]]
    return (
        solved(runs),
        spread(steps, "{:,.0f}".format),
        spread({run["budget"] for run in runs}, "{:,}".format),
        spread([run["mean_return"] for run in runs], in_words),
        f"{median(run['seconds'] for run in runs):.0f}",
    )


def chosen(runs: Iterable[Run], env: str, side: str, agent: str) -> list[Run]:
    """Return the runs of one agent on one environment."""
    return [run for run in runs if (run["env"], run["side"], run["agent"]) == (env, side, agent)]


def name_of(side: str, agent: str) -> str:
    return f"{SIDES[side]} {agent}"


def solved(runs: Sequence[Run]) -> str:
    """Return "9 of 10"."""
    return f"{sum(run['solved'] for run in runs)} of {len(runs)}" if runs else NONE


def spread(values: Iterable[float], words: Callable[[float], str]) -> str:
    """Return "median (least, most)", of equal values the one."""
    found = sorted(values)
    if not found:
        return NONE
    least, middle, most = words(found[0]), words(median(found)), words(found[-1])
    return middle if least == most else f"{middle} ({least}, {most})"


def in_words(value: float) -> str:
    """Return a mean return: 0.94, -104.2, 500."""
    text = f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
    return text.removesuffix(".0")


def drawn(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ("---",) * len(head), *lines))


if __name__ == "__main__":
    main()
