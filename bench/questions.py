"""What a benchmark file says: a question, its sides, and the rows that answer it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple


class Work(NamedTuple):
    """What a side's function returns inside its worker process.

    step        does the work once and returns when it is done
    amount      units of work in one call, as `Question.unit` counts them
    parameters  trained numbers, so that sides that do different work are found out; 0 = does not apply
    """

    step: Callable[[], object]
    amount: float = 1.0
    parameters: int = 0


@dataclass(frozen=True)
class Side:
    """One way to do the work: `make` is "module:function", called with (threads, *arguments) and returning
    Work.

    packages  what must be installed for it; none for our own side and for listings of plain Python
    threads   the counts it exists for; none = all
    peer      False for a landmark that is shown, but is nothing a user would take instead: ratios are not
              against it
    """

    name: str
    make: str
    arguments: tuple[Any, ...] = ()
    packages: tuple[str, ...] = ()
    threads: tuple[int, ...] = ()
    peer: bool = True


@dataclass(frozen=True)
class Question:
    """One row group of the table. `sides[0]` is ours, the others are peers.

    target  {threads: how many times the fastest peer's rate is asked for}
    limit   seconds that a call of ours may take; 0 = no such limit
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
    """What the command line decides."""

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
    ratio                      ours only: the fastest peer's seconds / ours, with the least and the most of
                               any round
    target, limit              what was asked of ours: a ratio, or seconds
    bytes                      bytes held, where memory is the question
    note                       why there are no figures, or what belongs beside them
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
        """Without what is not there."""
        return {key: value for key, value in asdict(self).items() if value not in (None, "")}
