"""The tidy table of a sweep: a row for each run, a column for each figure; CSV always, Parquet where pyarrow
is installed.

    article, the settings that vary, seed, state, score, solved_at, seconds, the article's other figures,
    error

Rows stand in the order of the plan, however the runs came to their ends, so that equal runs give equal
tables.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from nnlite.saving import atomic_write
from rl.sweeps.plan import Plan
from rl.sweeps.record import FAILED, Record

CSV, PARQUET = "table.csv", "table.parquet"
MISSING = "missing"
TIMES = ("seconds", "train_seconds")  # columns that are another in every run
FIGURES = ("score", "solved_at")


def rows_of(plan: Plan, records: dict[str, Record]) -> list[dict[str, Any]]:
    """A row for each seed of each job.

    state  done, failed (error says why), or missing: not ended yet

    The seconds of several seeds in one call are shared between them.
    """
    rows = []
    for job in plan.jobs:
        record = records.get(job.key)
        found = {row["seed"]: row for row in record.rows} if record else {}
        for seed in job.seeds:
            row = {
                "article": plan.article,
                **{name: plain(job.settings[name]) for name in plan.varied},
                "seed": seed,
            }
            row |= {"state": record.state if record else MISSING, **dict.fromkeys(FIGURES), "seconds": None}
            row |= found.get(seed, {})
            if record:
                row["seconds"] = round(record.seconds / len(job.seeds), 6)
            rows.append(row | {"error": record.error if record and record.state == FAILED else ""})
    return rows


def plain(value: Any) -> Any:
    """(64, 64) -> "64 64", as --set takes it."""
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else value


def write(folder: Path, rows: list[dict[str, Any]]) -> list[Path]:
    """Replace the tables; returns their paths."""
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name != "error"] + [
        "error"
    ]
    text = io.StringIO()
    table = csv.DictWriter(text, names, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows({name: "" if value is None else value for name, value in row.items()} for row in rows)
    atomic_write(folder / CSV, text.getvalue().encode("utf-8"))
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        return [folder / CSV]
    columns = {name: [row.get(name) for row in rows] for name in names}
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), buffer)
    atomic_write(folder / PARQUET, buffer.getvalue())
    return [folder / CSV, folder / PARQUET]
