"""Print the table; write and read the JSON lines."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.harness import ROOT, SLOWING
from bench.questions import Options, Row

PACKAGES = ("nnlite-rl", "numpy", "numba", "gymnasium", "torch", "jax", "jaxlib", "stable-baselines3")
COLUMNS = ("id", "threads", "side", "median", "min .. max", "rate", "against the fastest peer", "target")
RIGHT = (1, 3, 5)


def facts(options: Options) -> dict[str, Any]:
    """Collect machine, versions and options: the first line of a file."""
    from nnlite_ext import _threads

    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "kernels": _threads.target(),
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "versions": {name: version_of(name) for name in PACKAGES},
        "unset": [name for name in SLOWING if name in os.environ],
        "threads": options.threads,
        "rounds": options.rounds,
        "seconds": options.seconds,
    }


def processor() -> str:
    """Return the processor's name."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def version_of(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "absent"


def header(found: dict[str, Any]) -> str:
    """Format the lines above the table."""
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    unset = load = ""
    if found["unset"]:
        unset = f"{' and '.join(found['unset'])} unset for the workers: they slow down only NumPy\n"
    if found["load"]:
        load = f"; load {found['load'][0]:.1f}" + (" (NOT QUIET)" if found["load"][0] > 0.5 else "")
    return (
        f"{found['processor']}, {found['cores']} cores, {found['kernels']} kernels{load}\n"
        f"Python {found['python']}, {versions}\n{unset}"
        "Median with minimum and maximum of the samples; ratios of medians measured in turns, with the "
        "lowest and highest of a round.\n"
    )


def table(rows: Iterable[Row]) -> str:
    """Format all rows, grouped by question."""
    lines: list[tuple[str, ...]] = [COLUMNS]
    titles: dict[int, str] = {}
    group = ""
    for row in rows:
        if row.work != group:
            group = row.work
            titles[len(lines)] = f"{row.id}: {row.work}"
        lines.append(cells(row))
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    written = []
    for number, line in enumerate(lines):
        if number in titles:
            written.append("\n" + titles[number])
        aligned = (
            cell.rjust(width) if i in RIGHT else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths))
        )
        written.append("  ".join(aligned).rstrip())
    return "\n".join(written)


def cells(row: Row) -> tuple[str, ...]:
    """Format the columns of a row."""
    if row.seconds is None:
        held = "" if row.bytes is None else size(row.bytes)
        return (row.id, str(row.threads), row.side, held, row.note, "", "", "")
    verdict = target = ""
    if row.limit is not None:
        target = f"{row.limit:g} s" + (" met" if row.seconds <= row.limit else " MISSED")
    if row.ratio is not None:
        verdict = f"{row.ratio:.2f}x ({row.ratio_least:.2f} .. {row.ratio_most:.2f}) {row.against}"
    if row.target is not None:
        target = f"{row.target:g}x" + (
            "" if row.ratio is None else " met" if row.ratio >= row.target else " MISSED"
        )
    spread = f"{duration(row.fastest)} .. {duration(row.slowest)}"
    return (
        row.id,
        str(row.threads),
        row.side,
        duration(row.seconds),
        spread,
        f"{number(row.rate)} {row.unit}",
        verdict,
        target or row.note,
    )


def duration(seconds: float | None) -> str:
    """1.2e-5 -> 12.0 us."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds is not None and seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return "" if seconds is None else f"{seconds / 1e-9:.0f} ns"


def size(count: int) -> str:
    """320000000 -> 320 MB."""
    for unit, one in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if abs(count) >= one:
            return f"{count / one:.3g} {unit}"
    return f"{count} bytes"


def number(value: float | None) -> str:
    """1234567.8 -> 1,230,000: a timing has no more than three significant digits."""
    return "" if value is None else f"{float(f'{value:.3g}'):,.{0 if value >= 100 else 2}f}"


def write(path: Path, found: dict[str, Any], rows: Iterable[Row]) -> None:
    """Write one JSON object a line: the facts, then the rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        for item in ({"facts": found}, *(row.as_dict() for row in rows)):
            file.write(json.dumps(item, ensure_ascii=False) + "\n")


def read(path: Path) -> tuple[dict[str, Any], list[Row]]:
    """Read the facts and rows that `write` wrote; raises ValueError for another file."""
    try:
        with open(path, encoding="utf-8") as file:
            first, *rest = [json.loads(line) for line in file]
        return first["facts"], [Row(**item) for item in rest]
    except (ValueError, KeyError, TypeError) as problem:
        raise ValueError(f"{path} is no file of python -m bench: {problem}") from None


def default_path() -> Path:
    return ROOT / "bench" / "results" / f"{datetime.now():%Y-%m-%d-%H%M}.jsonl"


def complain(message: str, remedy: str) -> int:
    """Print an error of two lines; returns the exit code."""
    print(f"error: {message}\n  {remedy}", file=sys.stderr)
    return 2
