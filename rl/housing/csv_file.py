"""Rows of a CSV file that a user wrote, with the lines on which they begin."""

from __future__ import annotations

import codecs
import csv
import io
import re
from pathlib import Path
from typing import NamedTuple

from rl.command.errors import UsageError

REMEDY = "give a CSV file with a heading, or leave --data away"
LINE_BREAK = re.compile("\r\n|\r|\n")


class Row(NamedTuple):
    """A row that is not empty.

    line   the line of the file on which it begins, from 1
    cells  its texts; a quoted one may go over several lines
    """

    line: int
    cells: list[str]

    def line_of(self, place: int) -> int:
        """Return the line on which the cell at this index begins."""
        return self.line + sum(len(LINE_BREAK.findall(cell)) for cell in self.cells[:place])


def read_rows(path: str) -> list[Row]:
    """Read the rows of a CSV file in UTF-8; raises UsageError, with the line where there is one."""
    try:
        content = Path(path).read_bytes().removeprefix(codecs.BOM_UTF8)
    except OSError as problem:
        raise UsageError(f"cannot read {path}: {problem.strerror}", REMEDY) from None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as problem:
        line = 1 + len(LINE_BREAK.findall(content[: problem.start].decode("utf-8")))
        raise UsageError(
            f"cannot read {path}, line {line}: not text in UTF-8", "save it as CSV in UTF-8"
        ) from None
    return parse_rows(text, path)


def parse_rows(text: str, path: str) -> list[Row]:
    """Split the text into rows; raises UsageError where it is no CSV."""
    reader = csv.reader(io.StringIO(text, newline=""))
    rows, end = [], 0
    try:
        for cells in reader:
            if cells:
                rows.append(Row(end + 1, cells))
            end = reader.line_num
    except csv.Error as problem:  # a cell of more than 131,072 characters
        what = f"cannot read {path}, line {end + 1}: {problem}"
        raise UsageError(what, 'is a quotation mark (") missing? every cell must hold a number') from None
    return rows
