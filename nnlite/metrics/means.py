"""Accuracies and errors: means over examples, equal to Keras's."""

from __future__ import annotations

import numpy as np

from nnlite.arrays import Array
from nnlite.attributes import argument
from nnlite.metrics.base import MeanMetric, same_shape
from nnlite.utils import real


class MeanSquaredError(MeanMetric):
    """Mean of (p - t)^2."""

    direction = "min"

    def values(self, prediction: Array, target: Array) -> Array:
        same_shape(prediction, target)
        return np.square(prediction - target)


class RootMeanSquaredError(MeanSquaredError):
    """Square root of the mean of (p - t)^2 over all batches, not the mean of roots."""

    def result(self) -> float:
        return float(np.sqrt(super().result()))


class MeanAbsoluteError(MeanMetric):
    """Mean of |p - t|."""

    direction = "min"

    def values(self, prediction: Array, target: Array) -> Array:
        same_shape(prediction, target)
        return np.abs(prediction - target)


class BinaryAccuracy(MeanMetric):
    """Share of outputs on the right side of the threshold; targets are 0 or 1."""

    direction = "max"
    threshold: float = argument()

    def __init__(self, name: str | None = None, threshold: float = 0.5) -> None:
        self.threshold = real(threshold, "threshold")
        super().__init__(name)

    def values(self, prediction: Array, target: Array) -> Array:
        same_shape(prediction, target)
        return (prediction > self.threshold) == target


class CategoricalAccuracy(MeanMetric):
    """Share of examples whose largest column is that of the one-hot target."""

    direction = "max"

    def values(self, prediction: Array, target: Array) -> Array:
        same_shape(prediction, target)
        return prediction.argmax(axis=-1) == target.argmax(axis=-1)


class SparseCategoricalAccuracy(MeanMetric):
    """Share of examples whose largest column is the target: a column number, or one-hot."""

    direction = "max"

    def values(self, prediction: Array, target: Array) -> Array:
        rows = prediction.shape[:-1]
        if target.shape == prediction.shape and target.shape[-1] > 1:
            target = target.argmax(axis=-1)
        elif target.shape in (rows, (*rows, 1)):
            target = target.reshape(rows)
        else:
            raise ValueError(f"y_true {target.shape} must hold a column number for each row of {rows}")
        return prediction.argmax(axis=-1) == target


class Accuracy(MeanMetric):
    """The accuracy that fits the output: SparseCategoricalAccuracy, or BinaryAccuracy of one column."""

    direction = "max"

    def values(self, prediction: Array, target: Array) -> Array:
        chosen = BinaryAccuracy() if prediction.shape[-1] == 1 else SparseCategoricalAccuracy()
        return chosen.values(prediction, target > 0.5 if prediction.shape[-1] == 1 else target)
