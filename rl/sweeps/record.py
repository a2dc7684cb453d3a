"""The record of an ended job: record.json in its folder, written once by the process that claims it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rl.runs.run_folder import write_json

NAME = "record.json"
DONE, FAILED = "done", "failed"


@dataclass(frozen=True)
class Record:
    """The end of a job.

    state  "done", or "failed": it ended with an error, and would again
    rows   for each seed: seed, score, solved_at, and the article's other figures
    error  last line that a failed job printed
    """

    state: str
    rows: tuple[dict[str, Any], ...]
    seconds: float
    error: str = ""

    def write(self, folder: Path) -> None:
        write_json(folder / NAME, asdict(self))


def read(folder: Path) -> Record | None:
    """Read the record of a job; None when it has not ended."""
    try:
        stored = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return Record(stored["state"], tuple(stored["rows"]), float(stored["seconds"]), stored["error"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
