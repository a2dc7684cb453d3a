"""The tidy table of a sweep: a row for each run, a column for each figure.

    article, the settings that vary, seed, state, score, solved_at, seconds, other figures, error

It is written as CSV, and as Parquet too if pyarrow is installed. Rows are in the order of the plan, whatever
the order in which runs end, so equal runs give equal tables.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from nnlite.tensor_file import atomic_write
from rl.pages.groups import plain_value
from rl.sweeps.plan import Plan
from rl.sweeps.record import FAILED, Record

CSV, PARQUET = "table.csv", "table.parquet"
MISSING = "missing"
TIMES = ("seconds", "train_seconds")  # columns that differ from run to run
FIGURES = ("score", "solved_at")


def rows_of(plan: Plan, records: dict[str, Record]) -> list[dict[str, Any]]:
    """Make a row for each seed of each job.

    records  by job key
    state    done, failed (error says why), or missing: not ended yet
    seconds  of several seeds in one call: an equal share
    """
    rows = []
    for job in plan.jobs:
        record = records.get(job.key)
        found = {row["seed"]: row for row in record.rows} if record else {}
        for seed in job.seeds:
            row = {
                "article": plan.article,
                **{name: plain_value(job.settings[name]) for name in plan.varied},
                "seed": seed,
            }
            row |= {"state": record.state if record else MISSING, **dict.fromkeys(FIGURES), "seconds": None}
            row |= found.get(seed, {})
            if record:
                row["seconds"] = round(record.seconds / len(job.seeds), 6)
            rows.append(row | {"error": record.error if record and record.state == FAILED else ""})
    return rows


def write(folder: Path, rows: list[dict[str, Any]]) -> list[Path]:
    """Write the tables; returns their paths."""
    columns = dict.fromkeys(name for row in rows for name in row if name != "error")
    names = [*columns, "error"]
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
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(
        pyarrow.table({name: [row.get(name) for row in rows] for name in names}), buffer
    )
    atomic_write(folder / PARQUET, buffer.getvalue())
    return [folder / CSV, folder / PARQUET]
