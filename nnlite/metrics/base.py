"""Metric, the base of metrics, and those that are a mean over examples."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnlite.arrays import Array
from nnlite.attributes import Guarded, argument
from nnlite.description import arguments
from nnlite.names import registry_name, serialize
from nnlite.own import by_names, name_of
from nnlite.utils import numbers


class Metric(Guarded):
    """Base of metrics: numbers that accumulate over an epoch or an evaluation. Keras's names and order.

    update_state(y_true, y_pred, sample_weight)  take in one batch, all (N, ...); weights (N,) or None
    result()                                     the number so far
    reset_state()                                forget all batches

    name       the key in logs and History
    direction  "max" or "min": which is better; "" if nobody knows, so that a callback needs a mode
    """

    name: str = argument()
    direction: str = ""

    def __init__(self, name: str | None = None) -> None:
        self.name = name or registry_name(self)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in one batch."""
        raise TypeError(f"{type(self).__name__} has no update_state")

    def result(self) -> float:
        """Return the number over all batches since reset_state."""
        raise TypeError(f"{type(self).__name__} has no result")

    def reset_state(self) -> None:
        """Forget all batches."""

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return arguments(self)


class MeanMetric(Metric):
    """Base of metrics that are a mean: `values` gives the numbers whose mean is taken."""

    def __init__(self, name: str | None = None) -> None:
        self._total, self._count = 0.0, 0.0
        super().__init__(name)

    def values(self, prediction: Array, target: Array) -> Array:
        """Return numbers (N, ...) for arrays (N, ...), or one number that counts for the batch."""
        raise TypeError(f"{type(self).__name__} has no values")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        values = self.values(floats(y_pred, "y_pred"), floats(y_true, "y_true"))
        if sample_weight is not None and values.ndim == 0:
            raise ValueError(f"the metric {self.name} returns one number, so examples cannot be weighted")
        rows = np.atleast_1d(values)
        each = rows.reshape(len(rows), -1).mean(axis=1, dtype=np.float64)
        weights = example_weights(sample_weight, len(each))
        self._total += float(each.sum() if weights is None else (each * weights).sum())
        self._count += float(len(each) if weights is None else weights.sum())

    def result(self) -> float:
        return self._total / self._count if self._count else 0.0

    def reset_state(self) -> None:
        self._total, self._count = 0.0, 0.0


class FunctionMetric(MeanMetric):
    """The mean of what a function of one's own returns; its parameters are read by their names.

    An array (N, ...) counts example by example. A single number counts once for each batch, as in Keras.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function, self._call = function, by_names(function, "metric")
        super().__init__(name_of(function))

    def values(self, prediction: Array, target: Array) -> Array:
        given = numbers(self._call(prediction, target), f"the result of the metric {self.name}")
        if given.ndim and len(given) != len(prediction):
            raise ValueError(f"the metric {self.name} must return one number, or {len(prediction)}")
        return given

    def get_config(self) -> dict[str, Any]:
        return serialize(self._function)

    def __repr__(self) -> str:
        return self.name


def floats(values: Any, what: str) -> Array:
    """Return an array of float32 or float64; bytes and integers would wrap around in a difference."""
    array = numbers(values, what)
    return array if array.dtype.char in "fd" else array.astype(np.float64)


def example_weights(weights: Any, examples: int) -> Array | None:
    """Return weights (N,) as float64, or None; ValueError unless there is one for each example."""
    if weights is None:
        return None
    array = numbers(weights, "sample_weight")
    if array.shape != (examples,) or not np.isfinite(array).all() or (array < 0).any():
        raise ValueError(f"sample_weight must be {examples} finite numbers >= 0, not {array.shape}")
    return array.astype(np.float64)


def same_shape(prediction: Array, target: Array) -> None:
    """Raise ValueError unless both have one shape."""
    if prediction.shape != target.shape:
        raise ValueError(f"y_pred {prediction.shape} and y_true {target.shape} must have the same shape")


def ratio(part: float, whole: float) -> float:
    """Return part / whole, and 0 where there is nothing."""
    return part / whole if whole and math.isfinite(whole) else 0.0
