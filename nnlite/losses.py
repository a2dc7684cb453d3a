"""Loss functions: (prediction, target) -> (value, dprediction).

value is the mean over the batch; dprediction is its exact derivative, in prediction's shape. Shapes must be
equal: a (N,) target never broadcasts against a (N, 1) prediction, but raises ValueError naming both.

Losses compute in the prediction's float32 or float64. Integers, bytes and lists are read as float64, half
precision as float32. A loss over one class is constant, and warns.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from nnlite_ext import _crossentropy

from nnlite.arrays import Array
from nnlite.names import collect, find, is_nnlites, own_name, unknown
from nnlite.reference import crossentropy as reference
from nnlite.reference.crossentropy import log_softmax as log_softmax
from nnlite.utils import missing_name, numbers, real

LossResult = tuple[float, Array]
SMALLEST_PROBABILITY = 1e-7


def mean_squared_error(prediction: Array, target: Array) -> LossResult:
    """L = mean over *all* outputs of (p - t)^2, dp = 2 (p - t) / size.

    prediction, target  (N, ...) of equal shapes

    On a Q network with A outputs this is 1/A of the loss of the chosen actions.
    """
    prediction, target = _read(prediction, target)
    error = prediction - target
    return float(np.mean(np.square(error))), error * prediction.dtype.type(2.0 / error.size)


def mean_absolute_error(prediction: Array, target: Array) -> LossResult:
    """L = mean over all outputs of |p - t|, dp = sign(p - t) / size (0 where they are equal)."""
    prediction, target = _read(prediction, target)
    error = prediction - target
    return float(np.mean(np.abs(error))), np.sign(error) * prediction.dtype.type(1.0 / error.size)


def huber(prediction: Array, target: Array, delta: float = 1.0) -> LossResult:
    """L = mean of e^2/2 where |e| <= delta, else of delta (|e| - delta/2), with e = p - t.

    dp = clip(e, -delta, delta) / size.  Source: Huber 1964; as a loss for Q-learning, Mnih et al. 2015.
    """
    prediction, target = _read(prediction, target)
    if delta != np.inf:
        real(delta, "delta", above=0)
    error = prediction - target
    inside = np.clip(error, -delta, delta)  # e where it is small, +-delta where it is large
    value = float(np.mean(inside * (error - inside * prediction.dtype.type(0.5))))
    return value, inside * prediction.dtype.type(1.0 / error.size)


def categorical_crossentropy_from_logits(logits: Array, target: Array) -> LossResult:
    """L = -1/N sum_n sum_k t log_softmax(z), dz = (softmax(z) sum_k t - t) / N.

    logits  (N, ..., K), target (N, ..., K) one-hot or probabilities.
    """
    logits, target = _read(logits, target)
    _warn_of_one_class(logits)
    return _crossentropy.crossentropy(logits, target, reference.crossentropy)


def categorical_crossentropy(probabilities: Array, target: Array) -> LossResult:
    """L = -1/N sum_n sum_k t log q with q = p / sum p, clipped to [1e-7, 1 - 1e-7], as Keras does.

    dp = (-t/q + sum_k t) / (sum p) / N, with 0 in place of t/q where q was clipped.
    """
    probabilities, target = _read(probabilities, target)
    _warn_of_one_class(probabilities)
    total = probabilities.sum(axis=-1, keepdims=True)
    q = probabilities / total
    clipped = np.clip(q, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    rows = probabilities.size // probabilities.shape[-1]
    value = -float(np.sum(target * np.log(clipped))) / rows
    dq = np.where(clipped == q, -target / clipped, 0)
    gradient = (dq - np.sum(dq * q, axis=-1, keepdims=True)) / total / rows
    return value, gradient.astype(probabilities.dtype, copy=False)


def binary_crossentropy_from_logits(logits: Array, target: Array) -> LossResult:
    """L = mean of softplus(z) - t z, dz = (sigmoid(z) - t) / size."""
    logits, target = _read(logits, target)
    softplus = np.logaddexp(0, logits)
    value = float(np.mean(softplus - target * logits))
    sigmoid = np.exp(logits - softplus)
    return value, ((sigmoid - target) / logits.size).astype(logits.dtype, copy=False)


def binary_crossentropy(probabilities: Array, target: Array) -> LossResult:
    """L = mean of -t log p - (1-t) log(1-p), p clipped to [1e-7, 1 - 1e-7]; dp 0 where it was clipped."""
    probabilities, target = _read(probabilities, target)
    p = np.clip(probabilities, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    value = -float(np.mean(target * np.log(p) + (1 - target) * np.log1p(-p)))
    gradient = np.where(p == probabilities, (p - target) / (p * (1 - p)), 0) / p.size
    return value, gradient.astype(probabilities.dtype, copy=False)


def _read(prediction: Any, target: Any) -> tuple[Array, Array]:
    """Return both as arrays of one floating type; ValueError unless they have one shape, and an element."""
    prediction, target = numbers(prediction, "prediction"), numbers(target, "target")
    if prediction.shape != target.shape:
        raise ValueError(f"prediction {prediction.shape} and target {target.shape} must have the same shape")
    if prediction.size == 0:
        raise ValueError("a loss over an empty batch has no mean")
    dtype = np.float32 if prediction.dtype.char in "ef" else np.float64
    return prediction.astype(dtype, copy=False), target.astype(dtype, copy=False)


def _warn_of_one_class(prediction: Array) -> None:
    if prediction.shape[-1:] == (1,):
        what = "categorical_crossentropy over one column is always 0, so nothing is learned"
        warnings.warn(f"{what}; use binary_crossentropy, or one column for each class", stacklevel=3)


mse, mae = mean_squared_error, mean_absolute_error  # Keras's short names

Loss = Callable[[Array, Array], LossResult]
REGISTRY: dict[str, Loss] = {
    "mean_squared_error": mean_squared_error,
    "mse": mean_squared_error,
    "mean_absolute_error": mean_absolute_error,
    "mae": mean_absolute_error,
    "huber": huber,
    "categorical_crossentropy": categorical_crossentropy,
    "sparse_categorical_crossentropy": categorical_crossentropy,
    "binary_crossentropy": binary_crossentropy,
}
FROM_LOGITS: dict[tuple[Loss, str], Loss] = {
    (categorical_crossentropy, "softmax"): categorical_crossentropy_from_logits,
    (binary_crossentropy, "sigmoid"): binary_crossentropy_from_logits,
}
"""(loss, activation of the last layer) -> the same loss of the logits, accurate where a probability rounds to
0 or 1.
"""


def serialize(loss: Loss) -> str:
    """Return the name that `get` finds the loss by. Raises ValueError unless it is a function."""
    if not inspect.isfunction(loss):
        raise ValueError(f"a file names its loss, so it must be a function, not {loss!r}")
    collect(loss)
    return loss.__name__ if is_nnlites(loss) else own_name(loss)


def get(identifier: str | Loss) -> Loss:
    """Return the loss of this name, or the function itself."""
    if callable(identifier):
        return identifier
    is_name = isinstance(identifier, str)
    found: Loss | None = (find(identifier) or REGISTRY.get(identifier)) if is_name else None
    if found is None:
        raise unknown("loss", identifier, REGISTRY)
    return found


def __getattr__(name: str) -> Any:
    raise missing_name("nnlite.losses", name, REGISTRY)
