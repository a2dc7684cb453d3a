"""The data of a benchmark: a question, its sides, and the rows that answer it.

The function of a side imports its package inside, because only its worker process may load it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple


class Work(NamedTuple):
    """The work of a side; its function returns it inside the worker process.

    step        does the work once and returns when it is done
    amount      units of work in one call, as `Question.unit` counts them
    parameters  number of trained weights, which must be equal on all sides; 0 = does not apply
    """

    step: Callable[[], object]
    amount: float = 1.0
    parameters: int = 0


@dataclass(frozen=True)
class Side:
    """One way to do the work: `make` is "module:function", called with (threads, *arguments) and returning
    Work.

    packages  packages that it needs; none for our side and for listings of plain Python
    threads   numbers of threads that it supports; none = all
    peer      False for a landmark, which no user would choose instead: it is shown, but not in ratios
    """

    name: str
    make: str
    arguments: tuple[Any, ...] = ()
    packages: tuple[str, ...] = ()
    threads: tuple[int, ...] = ()
    peer: bool = True


@dataclass(frozen=True)
class Question:
    """A group of rows in the table. `sides[0]` is ours, the others are peers.

    target  {threads: required ratio of our rate to the fastest peer's}
    limit   seconds that a call of ours may take; 0 = no limit
    """

    id: str
    name: str
    work: str
    unit: str
    sides: tuple[Side, ...]
    target: dict[int, float] = field(default_factory=dict)
    threads: tuple[int, ...] = (1, 2)
    limit: float = 0.0


@dataclass(frozen=True)
class Options:
    """The options of the command line."""

    threads: tuple[int, ...] = (1, 2)
    rounds: int = 5
    seconds: float = 0.2  # measured time of each side in each round
    peers: bool = True
    long: bool = False
    plots: Path = Path(__file__).resolve().parent / "plots"


@dataclass
class Row:
    """One line of the table and of the file.

    seconds, fastest, slowest  median, minimum and maximum of one call
    rate                       units of work a second, at the median
    ratio                      ours only: our rate / the fastest peer's, with least and most of all rounds
    target, limit              required of our side: a ratio, or seconds
    bytes                      memory, where that is the question
    note                       why there are no figures, or a remark
    """

    id: str
    question: str
    work: str
    side: str
    threads: int
    seconds: float | None = None
    fastest: float | None = None
    slowest: float | None = None
    samples: int = 0
    rate: float | None = None
    unit: str = ""
    ratio: float | None = None
    ratio_least: float | None = None
    ratio_most: float | None = None
    against: str = ""
    target: float | None = None
    limit: float | None = None
    bytes: int | None = None
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields that have a value."""
        return {key: value for key, value in asdict(self).items() if value not in (None, "")}
