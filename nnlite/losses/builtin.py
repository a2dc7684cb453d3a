"""The built-in losses, under Keras's class names."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from nnlite_ext import _crossentropy

from nnlite.arrays import Array
from nnlite.attributes import argument
from nnlite.losses.base import ElementLoss, LossResult, read
from nnlite.reference import crossentropy as reference
from nnlite.utils import flag, real

SMALLEST_PROBABILITY = 1e-7


class MeanSquaredError(ElementLoss):
    """L = mean over *all* outputs of (p - t)^2, dp = 2 (p - t) / size.

    On a Q network with A outputs this is 1/A of the loss of the chosen actions.
    """

    def formula(self, prediction: Array, target: Array, scale: Any) -> tuple[Array, Array]:
        error = prediction - target
        return np.square(error), error * (2 * scale)


class MeanAbsoluteError(ElementLoss):
    """L = mean over all outputs of |p - t|, dp = sign(p - t) / size (0 where they are equal)."""

    def formula(self, prediction: Array, target: Array, scale: Any) -> tuple[Array, Array]:
        error = prediction - target
        return np.abs(error), np.sign(error) * scale


class Huber(ElementLoss):
    """L = mean of e^2/2 where |e| <= delta, else of delta (|e| - delta/2), with e = p - t.

    dp = clip(e, -delta, delta) / size.  Source: Huber 1964; as a loss for Q-learning, Mnih et al. 2015.
    """

    delta: float = argument()

    def __init__(self, delta: float = 1.0) -> None:
        self.delta = delta if delta == math.inf else real(delta, "delta", above=0)

    def formula(self, prediction: Array, target: Array, scale: Any) -> tuple[Array, Array]:
        error = prediction - target
        inside = np.clip(error, -self.delta, self.delta)  # e where it is small, +-delta where it is large
        return inside * (error - inside * prediction.dtype.type(0.5)), inside * scale


class CategoricalCrossentropy(ElementLoss):
    """L = -1/N sum_n sum_k t log q with q = p / sum p, clipped to [1e-7, 1 - 1e-7], as Keras does.

    dp = (-t/q + sum_k t) / (sum p) / N, with 0 in place of t/q where q was clipped.

    from_logits  L = -1/N sum_n sum_k t log_softmax(z), dz = (softmax(z) sum_k t - t) / N

    Both read (N, ..., K), and targets that are one-hot or probabilities.
    """

    activation = "softmax"
    reads_labels = True
    from_logits: bool = argument()

    def __init__(self, from_logits: bool = False) -> None:
        self.from_logits = flag(from_logits, "from_logits")

    def count(self, prediction: Array) -> int:
        return prediction.size // prediction.shape[-1]

    def __call__(self, prediction: Any, target: Any, weights: Array | None = None) -> LossResult:
        prediction, target = read(prediction, target)
        if prediction.shape[-1:] == (1,):
            what = "categorical_crossentropy over one column is always 0, so nothing is learned"
            warnings.warn(f"{what}; use binary_crossentropy, or one column for each class", stacklevel=2)
        if self.from_logits and weights is None:
            return _crossentropy.crossentropy(prediction, target, reference.crossentropy)
        return super().__call__(prediction, target, weights)

    def formula(self, prediction: Array, target: Array, scale: Any) -> tuple[Array, Array]:
        if self.from_logits:
            rows, gradient = reference.crossentropy_rows(prediction, target)
            return rows, (gradient * scale).astype(prediction.dtype, copy=False)
        total = prediction.sum(axis=-1, keepdims=True)
        q = prediction / total
        clipped = np.clip(q, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
        dq = np.where(clipped == q, -target / clipped, 0)
        gradient = (dq - np.sum(dq * q, axis=-1, keepdims=True)) / total * scale
        return -np.sum(target * np.log(clipped), axis=-1), gradient.astype(prediction.dtype, copy=False)

    def on_logits(self) -> CategoricalCrossentropy:
        return type(self)(from_logits=True)


class SparseCategoricalCrossentropy(CategoricalCrossentropy):
    """CategoricalCrossentropy, under Keras's name for targets that are column numbers.

    A model makes them one-hot, for both losses; called alone, both read one-hot targets.
    """


class BinaryCrossentropy(ElementLoss):
    """L = mean of -t log p - (1-t) log(1-p), p clipped to [1e-7, 1 - 1e-7]; dp 0 where it was clipped.

    from_logits  L = mean of softplus(z) - t z, dz = (sigmoid(z) - t) / size
    """

    activation = "sigmoid"
    from_logits: bool = argument()

    def __init__(self, from_logits: bool = False) -> None:
        self.from_logits = flag(from_logits, "from_logits")

    def formula(self, prediction: Array, target: Array, scale: Any) -> tuple[Array, Array]:
        dtype = prediction.dtype
        if self.from_logits:
            softplus = np.logaddexp(0, prediction)
            gradient = (np.exp(prediction - softplus) - target) * scale
            return softplus - target * prediction, gradient.astype(dtype, copy=False)
        p = np.clip(prediction, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
        gradient = np.where(p == prediction, (p - target) / (p * (1 - p)), 0) * scale
        elements = -(target * np.log(p) + (1 - target) * np.log1p(-p))
        return elements, gradient.astype(dtype, copy=False)

    def on_logits(self) -> BinaryCrossentropy:
        return type(self)(from_logits=True)
