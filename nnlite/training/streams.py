"""One stream of batches, whether the data are arrays, a PyDataset or a generator."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from nnlite.arrays import Array
from nnlite.dataset import PyDataset

Given = tuple[Any, Any, Any]
"""x, y, and weights or None, as the user gave them."""


class BatchStream:
    """Batches, epoch after epoch.

    steps  batches of an epoch; None if nobody knows
    """

    steps: int | None

    def first(self) -> Given:
        """Return data to be checked before the first epoch; none of them is lost."""
        raise NotImplementedError

    def epoch(self, rng: np.random.Generator | None) -> Iterator[Given]:
        """Yield the batches of one epoch, in an order of rng's; None keeps the order."""
        raise NotImplementedError


class ArrayStream(BatchStream):
    """Arrays x, y (N, ...) and weights (N,), cut into batches; the last one may be smaller."""

    def __init__(self, x: Array, y: Array, weights: Array | None, batch_size: int) -> None:
        self.x, self.y, self.weights, self.batch_size = x, y, weights, batch_size
        self.steps = -(-len(x) // batch_size)

    def first(self) -> Given:
        return self.x, self.y, self.weights

    def epoch(self, rng: np.random.Generator | None) -> Iterator[Given]:
        order = np.arange(len(self.x)) if rng is None else rng.permutation(len(self.x))
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            weights = None if self.weights is None else self.weights[rows]
            yield np.take(self.x, rows, axis=0), np.take(self.y, rows, axis=0), weights


class DatasetStream(BatchStream):
    """The batches of a PyDataset; only their order is shuffled."""

    def __init__(self, dataset: PyDataset) -> None:
        self.dataset, self.steps = dataset, len(dataset)
        if self.steps < 1:
            raise ValueError(f"{type(dataset).__name__} has no batches: its len is {self.steps}")

    def first(self) -> Given:
        return parts(self.dataset[0])

    def epoch(self, rng: np.random.Generator | None) -> Iterator[Given]:
        order = range(len(self.dataset)) if rng is None else rng.permutation(len(self.dataset))
        for index in order:
            yield parts(self.dataset[int(index)])
        self.dataset.on_epoch_end()


class GeneratorStream(BatchStream):
    """The batches of a generator, `steps` in each epoch; None: one epoch, until it ends."""

    def __init__(self, generator: Iterator[Any], steps: int | None) -> None:
        self.generator, self.steps = generator, steps

    def first(self) -> Given:
        batch = self._next(0)
        self.generator = itertools.chain([batch], self.generator)
        return parts(batch)

    def epoch(self, rng: np.random.Generator | None) -> Iterator[Given]:
        if self.steps is None:
            yield from map(parts, self.generator)
            return
        for done in range(self.steps):
            yield parts(self._next(done))

    def _next(self, done: int) -> Any:
        try:
            return next(self.generator)
        except StopIteration:
            wanted = "the first batch" if self.steps is None else f"{self.steps} batches of an epoch"
            raise ValueError(f"the generator ended after {done} of {wanted}") from None


def parts(batch: Any) -> Given:
    """Read (x, y) or (x, y, weights). Raises ValueError for anything else."""
    if not isinstance(batch, (tuple, list)) or len(batch) not in (2, 3):
        kind = f"{len(batch)} parts" if isinstance(batch, (tuple, list)) else type(batch).__name__
        raise ValueError(f"a batch must be (x, y) or (x, y, weights), not {kind}")
    return batch[0], batch[1], batch[2] if len(batch) == 3 else None
