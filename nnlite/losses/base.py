"""Loss, the base of losses, and the losses that are means over elements.

A loss is called with (prediction, target) or (prediction, target, weights). It returns the mean over the
batch, and the exact derivative of that mean by the prediction. With weights (N,) the mean is Keras's:
sum of weights[n] loss[n], divided by N.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnlite.arrays import Array
from nnlite.attributes import Guarded
from nnlite.description import arguments
from nnlite.names import registry_name
from nnlite.utils import numbers

LossResult = tuple[float, Array]


class Loss(Guarded):
    """Base of losses. A loss of your own writes `value` and `gradient`; both read (N, ...) twice.

    value(prediction, target)     (N,): the loss of each example
    gradient(prediction, target)  (N, ...): the derivative of each example's own loss by its prediction

    Calling the loss gives mean or weighted mean, and its gradient.
    """

    activation: str = ""
    """Name of the last activation whose logits give the same loss more accurately; "" if there is none."""
    reads_labels: bool = False  # targets may be the number of the right column

    def value(self, prediction: Array, target: Array) -> Array:
        """Return the loss (N,) of each example."""
        raise TypeError(f"{type(self).__name__} has no value")

    def gradient(self, prediction: Array, target: Array) -> Array:
        """Return the derivative (N, ...) of each example's own loss by the prediction."""
        raise TypeError(f"{type(self).__name__} has no gradient")

    def __call__(self, prediction: Any, target: Any, weights: Array | None = None) -> LossResult:
        """Return the mean over N, or the weighted one, and its derivative in the prediction's shape."""
        prediction, target = read(prediction, target)
        each = self._finite("value", self.value(prediction, target), (len(prediction),))
        gradient = self._finite("gradient", self.gradient(prediction, target), prediction.shape)
        scale = scales(prediction, weights, len(prediction))
        return weighted_mean(each, weights), (gradient * scale).astype(prediction.dtype, copy=False)

    def _finite(self, name: str, given: Any, shape: tuple[int, ...]) -> Array:
        what = f"{type(self).__name__}.{name}"
        array = numbers(given, what)
        if array.shape != shape:
            raise ValueError(f"{what} must return {shape}, one for each example, not {array.shape}")
        if not np.isfinite(array).all():
            raise FloatingPointError(f"{what} returned NaN or infinity")
        return array

    def on_logits(self) -> Loss:
        """Return the same loss as a function of the logits, for a model whose end is `activation`."""
        raise TypeError(f"{type(self).__name__} has no form for logits")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, and the name."""
        return {"name": registry_name(self), **arguments(self)}


class ElementLoss(Loss):
    """Base of the built-in losses: one formula gives mean, weighted mean and the loss of each example."""

    def formula(self, prediction: Array, target: Array, scale: Any) -> tuple[Array, Array]:
        """Return the elements' losses (N, ...), and the prediction's derivative times scale.

        scale  a number, or (N, 1, ..., 1)
        """
        raise TypeError(f"{type(self).__name__} has no formula")

    def count(self, prediction: Array) -> int:
        """Return the number of elements over which the mean is taken."""
        return prediction.size

    def __call__(self, prediction: Any, target: Any, weights: Array | None = None) -> LossResult:
        prediction, target = read(prediction, target)
        scale = scales(prediction, weights, self.count(prediction))
        elements, gradient = self.formula(prediction, target, scale)
        return weighted_mean(elements, weights), gradient

    def value(self, prediction: Array, target: Array) -> Array:
        prediction, target = read(prediction, target)
        return per_example(self.formula(prediction, target, prediction.dtype.type(1))[0])

    def gradient(self, prediction: Array, target: Array) -> Array:
        prediction, target = read(prediction, target)
        each = len(prediction) / self.count(prediction)
        return self.formula(prediction, target, prediction.dtype.type(each))[1]


def per_example(elements: Array) -> Array:
    """Return the mean (N,) of each example's elements (N, ...)."""
    return elements.reshape(len(elements), -1).mean(axis=1)


def weighted_mean(elements: Array, weights: Array | None) -> float:
    """Return the mean of elements (N, ...), or with weights (N,) sum of w times its mean, over N."""
    if weights is None:
        return float(np.mean(elements))
    return float(np.sum(weights * per_example(elements))) / len(elements)


def scales(prediction: Array, weights: Array | None, count: int) -> Any:
    """Return the factor of every element's derivative: 1 / count, or (N, 1, ..., 1) of weights / count."""
    if weights is None:
        return prediction.dtype.type(1.0 / count)
    shape = (len(prediction), *(1,) * (prediction.ndim - 1))
    return (np.asarray(weights, np.float64) / count).reshape(shape).astype(prediction.dtype)


def read(prediction: Any, target: Any) -> tuple[Array, Array]:
    """Return both as arrays of one floating type; ValueError unless they have one shape, and an element."""
    prediction, target = numbers(prediction, "prediction"), numbers(target, "target")
    if prediction.shape != target.shape:
        raise ValueError(f"prediction {prediction.shape} and target {target.shape} must have the same shape")
    if prediction.size == 0:
        raise ValueError("a loss over an empty batch has no mean")
    dtype = np.float32 if prediction.dtype.char in "ef" else np.float64
    return prediction.astype(dtype, copy=False), target.astype(dtype, copy=False)


def read_result(result: Any, who: str, shape: tuple[int, ...]) -> LossResult:
    """Return the (value, gradient) that a function of one's own gave; ValueError if it is something else."""
    if not isinstance(result, tuple) or len(result) != 2 or np.ndim(result[0]) != 0:
        raise ValueError(
            f"{who} must return (value, gradient): the mean loss, and its derivative {shape} by the "
            f"prediction, not {type(result).__name__}; nnlite does not differentiate"
        )
    value, gradient = float(numbers(result[0], f"{who}'s value")), numbers(result[1], f"{who}'s gradient")
    if gradient.shape != shape:
        raise ValueError(f"{who}'s gradient must have the prediction's shape {shape}, not {gradient.shape}")
    if math.isfinite(value) and not np.isfinite(gradient).all():
        raise FloatingPointError(f"{who}'s gradient holds NaN or infinity")
    return value, gradient
