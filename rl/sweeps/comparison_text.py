"""The figures of a comparison in words, for the terminal and for the page."""

from __future__ import annotations

from math import isnan
from typing import NamedTuple

from rl.sweeps.comparison import Compared, Comparison
from rl.sweeps.statistics import Estimate


class Line(NamedTuple):
    """One group's row."""

    label: str
    runs: str
    score: str
    better: str
    solved: str
    median: str
    restricted: str


def heads(comparison: Comparison) -> Line:
    """What stands above the columns."""
    return Line(
        "setting",
        "runs",
        "score, interquartile mean [95 %]",
        "chance to be better than the first [95 %]",
        "solved",
        f"{comparison.measure.steps}, median",
        f"the same, mean up to {comparison.horizon:,.0f} [95 %]",
    )


def line(one: Compared) -> Line:
    """The figures of one group."""
    runs, failed = one.group.runs, len(one.group.runs) - len(one.group.finished)
    reaching = one.reaching
    return Line(
        one.group.label,
        f"{len(runs)}" + (f", {failed} failed" if failed else ""),
        interval(one.score, ".5g"),
        "–" if one.improvement is None else interval(one.improvement, ".2f"),
        "–" if reaching is None else f"{sum(run.solved for run in runs)} of {len(runs)}",
        "–" if reaching is None else "not reached" if reaching.median is None else f"{reaching.median:,.0f}",
        "–" if reaching is None else interval(reaching.restricted, ",.0f"),
    )


def interval(estimate: Estimate, form: str) -> str:
    """198.2 [197.1, 199]"""
    value = format(float(estimate.value), form)
    if isnan(float(estimate.low)):
        return value
    return f"{value} [{format(float(estimate.low), form)}, {format(float(estimate.high), form)}]"


def as_table(comparison: Comparison) -> str:
    """For the terminal, with what the columns are."""
    names = ("setting", "runs", "score", "better", "solved", "median", "mean")
    rows = [Line(*names), *(line(one) for one in comparison.groups)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(names))]
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]
    unit, steps = comparison.measure.score, comparison.measure.steps
    notes = [
        f"score   {unit}, {comparison.measure.better} is better: interquartile mean and its 95 % interval",
        f"better  chance that a run is better than one of {comparison.groups[0].group.label}",
        f"solved  runs that reached {comparison.goal}; median and mean of the {steps} to it, the mean up "
        f"to {comparison.horizon:,.0f}",
    ]
    left_out = [f"left out: {words}" for words in without_runs(comparison)]
    return "\n".join([*lines, "", *(notes if comparison.horizon else notes[:2]), *left_out])


def without_runs(comparison: Comparison) -> list[str]:
    """The groups of which nothing can be said."""
    return [
        f"{group.label}, {len(group.runs)} runs without a score: {group.runs[0].error}"
        for group in comparison.left_out
    ]
