"""The arguments of fit and evaluate, turned into streams: arrays, a PyDataset or a generator."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnlite.arrays import Array
from nnlite.dataset import PyDataset, is_stream
from nnlite.training.loop import Data, TrainingLoop
from nnlite.training.reader import check_examples, read_weights
from nnlite.training.streams import ArrayStream, BatchStream, DatasetStream, GeneratorStream, parts
from nnlite.utils import numbers, positive


def data(
    loop: TrainingLoop,
    x: Any,
    y: Any,
    weights: Any,
    batch_size: int,
    steps: Any = None,
    class_weight: Any = None,
    step_name: str = "steps",
) -> Data:
    """Return the stream of batches of x, y and weights, and their reader; the first data are checked.

    batch_size  of arrays
    steps       batches of an epoch of a generator
    """
    stream = batches(x, y, weights, steps, step_name) if is_stream(x) else None
    if stream is None:
        if steps is not None:
            raise ValueError(f"{step_name} is for generators; arrays give all their batches")
        x, y = numbers(x, "x"), numbers(y, "y")
        check_examples(x, y)
        reader = loop.reader(x, class_weight)
        weights = None if weights is None else read_weights(weights, len(x))
        x, target, _ = reader(x, y, weights)
        return Data(ArrayStream(x, target, weights, positive(batch_size, "batch_size")), reader)
    first = stream.first()
    reader = loop.reader(first[0], class_weight)
    reader(*first)
    return Data(stream, reader)


def batches(x: Any, y: Any, weights: Any, steps: Any, step_name: str) -> BatchStream:
    """Return the stream of a PyDataset or a generator. Raises ValueError if y or weights are given too."""
    kind = "PyDataset" if isinstance(x, PyDataset) else "generator"
    if y is not None or weights is not None:
        raise ValueError(
            f"y and sample_weight come from the {kind} x: its batches are (x, y) or (x, y, weights)"
        )
    if isinstance(x, PyDataset):
        if steps is not None:
            raise ValueError(f"{step_name} is for generators; a PyDataset has its len")
        return DatasetStream(x)
    return GeneratorStream(x, None if steps is None else positive(steps, step_name))


def hold_out(x: Any, y: Any, weights: Any, share: float) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """Split off the last `share` of the examples: (x, y, weights) to train on, and those held out.

    As in Keras, floor(N (1 - share)) examples remain. Raises ValueError if that leaves a part empty.
    """
    if is_stream(x):
        raise ValueError("validation_split needs arrays; give validation_data for batches")
    x, y = numbers(x, "x"), numbers(y, "y")
    check_examples(x, y)
    kept = math.floor(len(x) * (1 - share))
    if not 0 < kept < len(x):
        raise ValueError(
            f"validation_split={share} of {len(x)} examples leaves {kept} to train on; "
            "give more examples, another share, or validation_data"
        )
    given = [x, y] if weights is None else [x, y, read_weights(weights, len(x))]
    first, last = [array[:kept] for array in given], [array[kept:] for array in given]
    return parts(first), parts(last)


def validation(loop: TrainingLoop, given: Any, batch_size: int, steps: Any) -> Data:
    """Read validation_data: (x, y), (x, y, weights), a PyDataset or a generator."""
    if isinstance(given, PyDataset):
        return data(loop, given, None, None, batch_size, steps, step_name="validation_steps")
    if is_stream(given):
        if steps is None:
            raise ValueError("validation_data that is a generator needs validation_steps")
        return data(loop, given, None, None, batch_size, steps, step_name="validation_steps")
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
        kind = f"{len(given)} parts" if isinstance(given, (tuple, list)) else type(given).__name__
        raise ValueError(f"validation_data must be (x, y) or (x, y, weights), not {kind}")
    x, y = numbers(given[0], "validation x"), numbers(given[1], "validation y")
    check_examples(x, y)
    weights: Array | None = None
    if len(given) == 3 and given[2] is not None:
        weights = read_weights(given[2], len(x), "validation weights")
    return data(loop, x, y, weights, batch_size, steps, step_name="validation_steps")


def generator_of(loop: TrainingLoop, shuffle: bool, seed: Any) -> np.random.Generator | None:
    """Return the generator of the batches' order; None keeps their order."""
    if not shuffle:
        return None
    return loop.model._rng if seed is None else np.random.default_rng(seed)
