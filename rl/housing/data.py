"""The table of house prices, from one of three sources: a file, OpenML, or a formula.

Thirteen columns describe a district of Boston in 1970, MEDV is the median price of its houses in thousands of
dollars (Harrison and Rubinfeld 1978). One column, B, was computed from the share of Black residents, on the
assumption that segregation raises prices. scikit-learn removed the table for that reason, and because it was
made to study something else. `--exclude B` leaves that column out. The project does not ship the table.
"""

from __future__ import annotations

import math
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnlite.arrays import Array
from rl.command.errors import UsageError, require
from rl.housing.csv_file import Row, read_rows

COLUMNS = ("CRIM", "ZN", "INDUS", "CHAS", "NOX", "RM", "AGE", "DIS", "RAD", "TAX", "PTRATIO", "B", "LSTAT")
TARGET = "MEDV"
OPENML_ID = 531
OPENML_SERVER = ("api.openml.org", 443)
PATIENCE = 5.0  # seconds without an answer until OpenML counts as unreachable
ROWS = 506


@dataclass
class Table:
    """House prices.

    x        (N, D) float64  a row for each district
    y        (N,) float64    thousands of dollars
    columns  D names
    source   where the table comes from, as a sentence
    """

    x: Array
    y: Array
    columns: tuple[str, ...]
    source: str

    def without(self, excluded: tuple[str, ...]) -> Table:
        """Return the table without these columns.

        Raises UsageError for a name that is no column, or when no column is left.
        """
        names = tuple(name.upper() for name in excluded)
        for name in names:
            require(
                name in self.columns,
                f"there is no column {name!r}",
                f"the columns are {', '.join(self.columns)}",
            )
        left = [index for index, name in enumerate(self.columns) if name not in names]
        require(bool(left), "no column is left", "exclude fewer columns")
        return Table(self.x[:, left], self.y, tuple(self.columns[index] for index in left), self.source)


def load(data: str, rng: np.random.Generator) -> Table:
    """Load the table that --data names.

    data  a CSV file, "openml", "synthetic" (the formula), or "auto": OpenML, else the formula

    Raises UsageError when OpenML or the file gives no table.
    """
    if data == "synthetic":
        return synthetic(rng)
    if data not in ("auto", "openml"):
        return read_file(data)
    try:
        return from_openml()
    except (OSError, ValueError, ImportError, KeyError, RuntimeError) as problem:
        reason = (" ".join(str(problem).split()) or type(problem).__name__)[:120]
        if data == "openml":
            raise UsageError(
                f"OpenML gave no table: {reason}", "try again later, or use --data FILE or --data synthetic"
            ) from None
        table = synthetic(rng)
        table.source += f" OpenML was out of reach ({reason}); --data FILE reads the real table."
        return table


def read_file(path: str) -> Table:
    """Read a CSV file whose heading has the 13 columns and MEDV, in any order and case, and maybe others.

    Raises UsageError for a file that cannot be read, a missing column, or a cell that is no finite number.
    """
    lines = read_rows(path)
    heading = [name.strip().upper() for name in lines[0].cells] if lines else []
    missing = [name for name in (*COLUMNS, TARGET) if name not in heading]
    require(
        not missing,
        f"{path} has no column {', '.join(missing)}",
        f"its first line must name {', '.join((*COLUMNS, TARGET))}",
    )
    require(
        len(lines) > 10, f"{path} has {len(lines) - 1} rows", "training and testing need ten rows at least"
    )
    places = [heading.index(name) for name in (*COLUMNS, TARGET)]
    rows = np.array([[_number(line, place, path) for place in places] for line in lines[1:]])
    return Table(rows[:, :-1], rows[:, -1], COLUMNS, f"Data: the file {path}, {len(rows)} districts.")


def from_openml() -> Table:
    """Load OpenML's copy, which scikit-learn stores after the first download.

    Raises OSError, ValueError, ImportError, KeyError or RuntimeError when it is out of reach.
    """
    from sklearn.datasets import fetch_openml, get_data_home

    if not Path(
        get_data_home(), "openml"
    ).is_dir():  # nothing stored: fail at once where scikit-learn retries
        socket.create_connection(OPENML_SERVER, PATIENCE).close()
    with answer_within(PATIENCE), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about its own retry; a final failure is raised
        bunch = fetch_openml(data_id=OPENML_ID, as_frame=False, parser="liac-arff", n_retries=1, delay=0.1)
    x = decode(np.asarray(bunch.data, float), list(bunch.feature_names), dict(bunch.categories or {}))
    order = [[name.upper() for name in bunch.feature_names].index(name) for name in COLUMNS]
    y = np.asarray(bunch.target, float)
    return Table(x[:, order], y, COLUMNS, f"Data: OpenML's copy of the article's table, {len(y)} districts.")


def decode(x: Array, names: list[str], categories: dict[str, list[str]]) -> Array:
    """Return the numbers of CHAS and RAD, which OpenML stores as indices into a list of texts."""
    x = x.copy()
    for name, texts in categories.items():
        if name in names:
            column = names.index(name)
            x[:, column] = np.array([float(text) for text in texts])[x[:, column].astype(int)]
    return x


def synthetic(rng: np.random.Generator, rows: int = ROWS) -> Table:
    """Make up a table of the same columns.

    It describes no real place, and B is noise without influence on the price.

    u, uniform in [0, 1], is nearness to the centre; w, standard normal, is wealth; every e is a new standard
    normal number:

        CRIM = exp(4u - 3 + 0.8e)            ZN = 100 (1-u) with chance 0.3 (1-u), else 0
        INDUS = 2 + 18u + 2e                 CHAS = 1 with chance 0.07, else 0
        NOX = 0.4 + 0.3u + 0.03e             RM = 6.3 + 0.5w + 0.4e
        AGE = 30 + 65u + 12e                 DIS = 1.2 + 7 (1-u)^2 + 0.4|e|
        RAD = 24 if u > 0.74, else the whole part of 1 + 9u
        TAX = 230 + 400u + 40e               PTRATIO = 17.5 + 2.5u - 0.7w + e
        B = uniform in [0, 400]              LSTAT = 8 + 10u - 3.5w + 2.5e
        AGE is cut to [3, 100], RM to [3.5, 9], LSTAT to [1.7, 38], INDUS to at least 0.5

        MEDV = 24 + 4 (RM-6.3) + 2.5 (RM-6.3)^2 - 0.5 (LSTAT-12) + 0.02 (LSTAT-12)^2 - 15 (NOX-0.55)
               - 0.7 (PTRATIO-18.5) - 0.5 (DIS-3.8) - 0.05 CRIM + 3 CHAS + 2.5e, cut to [5, 50]
    """
    u, w = rng.uniform(0, 1, rows), rng.standard_normal(rows)

    def e() -> Array:
        return rng.standard_normal(rows)

    crim = np.exp(4 * u - 3 + 0.8 * e())
    zn = np.where(rng.random(rows) < 0.3 * (1 - u), 100 * (1 - u), 0.0)
    indus = np.maximum(2 + 18 * u + 2 * e(), 0.5)
    chas = (rng.random(rows) < 0.07).astype(float)
    nox = 0.4 + 0.3 * u + 0.03 * e()
    rm = np.clip(6.3 + 0.5 * w + 0.4 * e(), 3.5, 9)
    age = np.clip(30 + 65 * u + 12 * e(), 3, 100)
    dis = 1.2 + 7 * (1 - u) ** 2 + 0.4 * np.abs(e())
    rad = np.where(u > 0.74, 24.0, np.floor(1 + 9 * u))
    tax = 230 + 400 * u + 40 * e()
    ptratio = 17.5 + 2.5 * u - 0.7 * w + e()
    b = rng.uniform(0, 400, rows)
    lstat = np.clip(8 + 10 * u - 3.5 * w + 2.5 * e(), 1.7, 38)
    price = 24 + 4 * (rm - 6.3) + 2.5 * (rm - 6.3) ** 2 - 0.5 * (lstat - 12) + 0.02 * (lstat - 12) ** 2
    price += (
        -15 * (nox - 0.55) - 0.7 * (ptratio - 18.5) - 0.5 * (dis - 3.8) - 0.05 * crim + 3 * chas + 2.5 * e()
    )
    x = np.column_stack([crim, zn, indus, chas, nox, rm, age, dis, rad, tax, ptratio, b, lstat])
    return Table(
        x,
        np.clip(price, 5, 50),
        COLUMNS,
        f"Data: a made-up table of {rows} districts, from the formula in rl/housing/data.py.",
    )


@contextmanager
def answer_within(seconds: float) -> Iterator[None]:
    """Give up any connection that stays silent for this long."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _number(row: Row, place: int, path: str) -> float:
    """Return the number in a cell; raise UsageError when it is none."""
    try:
        value = float(row.cells[place])
    except (ValueError, IndexError):
        value = math.nan
    require(
        math.isfinite(value),
        f"{path}, line {row.line_of(place)}: column {place + 1} is no number",
        "every cell must hold a number",
    )
    return value
