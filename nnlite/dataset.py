"""Data that come in batches: Keras's PyDataset, and generators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class PyDataset:
    """Base of data that need not fit into memory. Keras 2 called it Sequence.

    len(dataset)    number of batches of an epoch
    dataset[i]      batch i: (x, y) or (x, y, weights), all (N, ...)
    on_epoch_end()  called after each epoch of fit
    """

    def __len__(self) -> int:
        raise TypeError(f"{type(self).__name__} has no __len__")

    def __getitem__(self, index: int) -> Any:
        raise TypeError(f"{type(self).__name__} has no __getitem__")

    def on_epoch_end(self) -> None:
        """Get ready for the next epoch."""


def is_stream(x: Any) -> bool:
    """Return whether x comes in batches: a PyDataset, or a generator."""
    return isinstance(x, PyDataset) or hasattr(x, "__next__")


def inputs(x: Any) -> Iterator[Any]:
    """Yield the inputs of every batch of a PyDataset or a generator, without targets and weights."""
    batches = (x[i] for i in range(len(x))) if isinstance(x, PyDataset) else x
    for batch in batches:
        yield batch[0] if isinstance(batch, tuple) else batch
