"""Ring: an array that is filled round and round, and the knowledge of which of its blocks changed since a
moment.

A replay's frames take hundreds of megabytes, of which a checkpoint has to write only what is new.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from nnlite.arrays import Array

BLOCK_BYTES = 1 << 21


class Block(NamedTuple):
    """Some adjacent rows of a ring.

    `stamp` is how many rows the ring had seen when the block last changed, 0 for never.
    """

    rows: slice
    stamp: int


class Ring:
    """The rows of `array` (games * length, ...), a ring of `length` rows for each game.

    written  (games,) how many rows each game ever wrote: row w of a game went to its slot w % length
    """

    def __init__(self, array: Array, length: int, written: Array) -> None:
        if len(array) != length * len(written):
            raise ValueError(f"{len(array)} rows are not {len(written)} rings of {length}")
        self.array, self.length, self.written = array, length, written

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def nbytes(self) -> int:
        return self.array.nbytes

    def copy(self) -> Array:
        """All rows as they are now."""
        return self.array.copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.array, dtype=dtype, copy=True) if copy else np.asarray(self.array, dtype=dtype)

    def block_rows(self) -> int:
        """Rows of a block; the last one of each ring may be shorter."""
        row = max(self.array.nbytes // max(len(self.array), 1), 1)
        return min(max(BLOCK_BYTES // row, 1), self.length)

    def blocks(self) -> Iterator[Block]:
        """All blocks that anything was ever written into."""
        rows = self.block_rows()
        for game, written in enumerate(self.written.tolist()):
            for first in range(0, self.length, rows):
                last = min(first + rows, self.length)
                stamp = last_write(written, self.length, first, last)
                if stamp:
                    yield Block(slice(game * self.length + first, game * self.length + last), stamp)


def last_write(written: int, length: int, first: int, last: int) -> int:
    """How many rows a ring had seen when one of its slots first..last-1 was last written; 0 for never.

    written  rows that it has seen by now; the next one goes to slot written % length
    """
    laps, head = divmod(written, length)
    if head > first:  # the newest row of the block is of this lap
        return laps * length + min(head, last)
    return (laps - 1) * length + last if laps else 0
