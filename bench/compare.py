"""`python -m bench.compare A.jsonl B.jsonl`: compare two result files."""

from __future__ import annotations

import sys
from pathlib import Path

from bench import report
from bench.questions import Row

COLUMNS = ("id", "threads", "side", "A", "B", "B / A rate", "")


def main(argv: list[str]) -> int:
    """Print the comparison; returns the exit code."""
    if len(argv) != 2:
        return report.complain(
            f"two files are compared, not {len(argv)}", "python -m bench.compare A.jsonl B.jsonl"
        )
    try:
        (facts_a, rows_a), (facts_b, rows_b) = (report.read(Path(name)) for name in argv)
    except (OSError, ValueError) as problem:
        return report.complain(str(problem), "name files that python -m bench has written")
    for letter, name, facts in (("A", argv[0], facts_a), ("B", argv[1], facts_b)):
        print(f"{letter}  {name}: {facts['date']}, {facts['processor']}, {facts['kernels']} kernels")
    for line in differences(facts_a, facts_b):
        print(f"   differs: {line}")
    print()
    print("\n".join(side_by_side(rows_a, rows_b)))
    return 0


def differences(a: dict, b: dict) -> list[str]:
    """List differences of machine and versions, which may explain a difference of speed."""
    found = [
        f"{key} {a.get(key)} / {b.get(key)}"
        for key in ("processor", "cores", "python", "kernels")
        if a.get(key) != b.get(key)
    ]
    versions = sorted({*a["versions"], *b["versions"]})
    return found + [
        f"{name} {a['versions'].get(name)} / {b['versions'].get(name)}"
        for name in versions
        if a["versions"].get(name) != b["versions"].get(name)
    ]


def side_by_side(rows_a: list[Row], rows_b: list[Row]) -> list[str]:
    """Make a line for each measurement of either file."""
    second = {key(row): row for row in rows_b}
    lines = [COLUMNS]
    for a in rows_a:
        b = second.pop(key(a), None)
        lines.append(
            (a.id, str(a.threads), a.side, report.duration(a.seconds) or a.note, format_row(b), *change(a, b))
        )
    lines += [(b.id, str(b.threads), b.side, "-", format_row(b), "", "") for b in second.values()]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]


def key(row: Row) -> tuple[str, str, int]:
    return row.work, row.side, row.threads


def format_row(row: Row | None) -> str:
    return "-" if row is None else report.duration(row.seconds) or row.note


def change(a: Row, b: Row | None) -> tuple[str, str]:
    """Return B's rate over A's, and a mark if B's median is outside the range of A's samples."""
    if b is None or a.rate is None or b.rate is None:
        return "", ""
    outside = b.seconds is not None and not (a.fastest or 0) <= b.seconds <= (a.slowest or 0)
    return f"{b.rate / a.rate:.2f}x", ("faster" if b.rate > a.rate else "SLOWER") if outside else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
