"""Format the figures of a comparison, for the terminal and for the page."""

from __future__ import annotations

from math import isnan
from typing import NamedTuple

from rl.sweeps.comparison import Comparison, GroupFigures
from rl.sweeps.statistics import Estimate


class Line(NamedTuple):
    """The row of one group."""

    label: str
    runs: str
    score: str
    better: str
    solved: str
    median: str
    restricted: str


def header(comparison: Comparison) -> Line:
    """Return the names of the columns."""
    return Line(
        "setting",
        "runs",
        "score, interquartile mean [95 %]",
        "probability to be better than the first [95 %]",
        "solved",
        f"{comparison.measure.steps}, median",
        f"the same, mean up to {comparison.horizon:,.0f} [95 %]",
    )


def format_group(one: GroupFigures) -> Line:
    """Format the figures of one group."""
    results = one.group.results
    failed = len(results) - len(one.group.finished)
    solved = median = restricted = "–"
    if one.time is not None:
        solved = f"{sum(result.solved for result in results)} of {len(results)}"
        median = "not reached" if one.time.median is None else f"{one.time.median:,.0f}"
        restricted = format_estimate(one.time.restricted, ",.0f")
    return Line(
        one.group.label,
        f"{len(results)}" + (f", {failed} failed" if failed else ""),
        format_estimate(one.score, ".5g"),
        "–" if one.improvement is None else format_estimate(one.improvement, ".2f"),
        solved,
        median,
        restricted,
    )


def format_estimate(estimate: Estimate, form: str) -> str:
    """198.2 [197.1, 199]"""
    value = format(float(estimate.value), form)
    if isnan(float(estimate.low)):
        return value
    return f"{value} [{format(float(estimate.low), form)}, {format(float(estimate.high), form)}]"


def make_table(comparison: Comparison) -> str:
    """Make the table for the terminal, with a legend of its columns."""
    names = ("setting", "runs", "score", "better", "solved", "median", "mean")
    rows = [Line(*names), *(format_group(one) for one in comparison.groups)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(names))]
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]
    unit, steps = comparison.measure.score, comparison.measure.steps
    notes = [
        f"score   {unit}, {comparison.measure.better} is better: interquartile mean and its 95 % interval",
        f"better  probability that a run is better than one of {comparison.groups[0].group.label}",
        f"solved  runs that reached {comparison.goal}; median and mean of the {steps} to it, the mean up "
        f"to {comparison.horizon:,.0f}",
    ]
    left_out = [f"left out: {words}" for words in describe_left_out(comparison)]
    return "\n".join([*lines, "", *(notes if comparison.horizon else notes[:2]), *left_out])


def describe_left_out(comparison: Comparison) -> list[str]:
    """Describe the groups without figures."""
    return [
        f"{group.label}, {len(group.results)} runs without a score: {group.results[0].error}"
        for group in comparison.left_out
    ]
