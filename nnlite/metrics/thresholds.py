"""Precision, recall and the area under a curve: counts of right and wrong answers over thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.arrays import Array
from nnlite.attributes import argument
from nnlite.metrics.base import Metric, example_weights, ratio, same_shape
from nnlite.utils import is_whole, numbers, real


def read(y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Array, Array, Array]:
    """Return flat (is it true, prediction, weight) of every output.

    Raises ValueError unless predictions are in [0, 1], and targets 0 or 1.
    """
    prediction, target = numbers(y_pred, "y_pred"), numbers(y_true, "y_true")
    same_shape(prediction, target)
    if not (prediction >= 0).all() or not (prediction <= 1).all():
        raise ValueError("this metric reads probabilities in [0, 1]; end the model in sigmoid or softmax")
    if not np.isin(target, (0, 1)).all():
        raise ValueError("this metric reads targets that are 0 or 1")
    weights = example_weights(sample_weight, len(prediction))
    each = np.ones(len(prediction)) if weights is None else weights
    spread = np.repeat(each, prediction.size // max(1, len(prediction)))
    return target.reshape(-1) == 1, prediction.reshape(-1), spread


class _Share(Metric):
    """Base of Precision and Recall: weights of true positives, of positives and of those that are true."""

    direction = "max"
    thresholds: float = argument()

    def __init__(self, thresholds: float | None = None, name: str | None = None) -> None:
        self.thresholds = real(0.5 if thresholds is None else thresholds, "thresholds", 0, 1)
        self._hits = self._called = self._true = 0.0
        super().__init__(name)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        true, prediction, weights = read(y_true, y_pred, sample_weight)
        called = prediction > self.thresholds
        self._hits += float(weights[called & true].sum())
        self._called += float(weights[called].sum())
        self._true += float(weights[true].sum())

    def reset_state(self) -> None:
        self._hits = self._called = self._true = 0.0


class Precision(_Share):
    """Share of those called positive, by p > thresholds, that are; 0 if none is called so."""

    def result(self) -> float:
        return ratio(self._hits, self._called)


class Recall(_Share):
    """Share of the positive that are called so, by p > thresholds; 0 if there is none."""

    def result(self) -> float:
        return ratio(self._hits, self._true)


class AUC(Metric):
    """Area under a curve through `num_thresholds` even thresholds in [0, 1], as Keras approximates it.

    curve  "ROC": recall over the share of false alarms, by trapezoids
           "PR": precision over recall, positives interpolated within each interval (Davis & Goadrich 2006)
    """

    direction = "max"
    num_thresholds: int = argument()
    curve: str = argument()

    def __init__(self, num_thresholds: int = 200, curve: str = "ROC", name: str | None = None) -> None:
        if not is_whole(num_thresholds) or num_thresholds < 2:
            raise ValueError(f"num_thresholds must be a whole number >= 2, not {num_thresholds!r}")
        if curve not in ("ROC", "PR"):
            raise ValueError(f"curve must be 'ROC' or 'PR', not {curve!r}")
        self.num_thresholds, self.curve = num_thresholds, curve
        super().__init__(name)
        self.reset_state()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        true, prediction, weights = read(y_true, y_pred, sample_weight)
        # the last threshold below p: the first one stands below 0, the last one above 1
        place = np.maximum(np.ceil(prediction * (self.num_thresholds - 1)).astype(np.int64) - 1, 0)
        count = self.num_thresholds
        self._true += np.bincount(place[true], weights[true], count)
        self._false += np.bincount(place[~true], weights[~true], count)

    def result(self) -> float:
        hits = np.cumsum(self._true[::-1])[::-1]  # called positive at each threshold, and true
        alarms = np.cumsum(self._false[::-1])[::-1]  # and false
        return _area_of_pr(hits, alarms) if self.curve == "PR" else _area_of_roc(hits, alarms)

    def reset_state(self) -> None:
        self._true, self._false = np.zeros(self.num_thresholds), np.zeros(self.num_thresholds)


def _area_of_roc(hits: Array, alarms: Array) -> float:
    width, height = -np.diff(alarms), (hits[:-1] + hits[1:]) / 2
    return ratio(float(np.sum(width * height)), float(hits[0] * alarms[0]))


def _area_of_pr(hits: Array, alarms: Array) -> float:
    """Integrate (hits + slope (c - called)) / c over each interval of called c; slope = dhits / dcalled."""
    called = hits + alarms
    gained, wider = -np.diff(hits), -np.diff(called)
    slope = np.divide(gained, wider, out=np.zeros_like(gained), where=wider > 0)
    offset = hits[1:] - slope * called[1:]
    inside = (called[:-1] > 0) & (called[1:] > 0)
    growth = np.divide(called[:-1], called[1:], out=np.ones_like(gained), where=inside)
    return ratio(float(np.sum(slope * (gained + offset * np.log(growth)))), float(hits[0]))
