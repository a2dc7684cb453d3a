"""A ring buffer that knows when each of its blocks last changed.

The frames of a replay take hundreds of megabytes; a checkpoint writes only the blocks that are new.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from nnlite.arrays import Array

BLOCK_BYTES = 1 << 21


class Block(NamedTuple):
    """Adjacent rows of a ring.

    stamp  rows written to the ring when the block last changed; 0 = never written
    """

    rows: slice
    stamp: int


class Ring:
    """An array (games * length, ...) that holds a ring of `length` rows for each game.

    written  (games,) rows ever written by each game; row w of a game is in its slot w % length
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
        """Copy all rows."""
        return self.array.copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.array, dtype=dtype, copy=True) if copy else np.asarray(self.array, dtype=dtype)

    def block_rows(self) -> int:
        """Return the number of rows of a block; the last block of a ring may have fewer."""
        row = max(self.array.nbytes // max(len(self.array), 1), 1)
        return min(max(BLOCK_BYTES // row, 1), self.length)

    def blocks(self) -> Iterator[Block]:
        """Iterate over the blocks that were ever written."""
        rows = self.block_rows()
        for game, written in enumerate(self.written.tolist()):
            for first in range(0, self.length, rows):
                last = min(first + rows, self.length)
                stamp = last_write(written, self.length, first, last)
                if stamp:
                    yield Block(slice(game * self.length + first, game * self.length + last), stamp)


def last_write(written: int, length: int, first: int, last: int) -> int:
    """Return how many rows were written when one of the slots first..last-1 was last written; 0 = never.

    written  rows written so far; the next one goes to slot written % length
    """
    laps, head = divmod(written, length)
    if head > first:  # the newest row of the block is from this lap
        return laps * length + min(head, last)
    return (laps - 1) * length + last if laps else 0
