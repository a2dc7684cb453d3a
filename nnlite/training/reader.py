"""Reader: x, y and weights of a batch, checked, and converted to what the model's loss reads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from nnlite_ext import _adam

from nnlite.arrays import Array
from nnlite.losses import Loss
from nnlite.network import Network
from nnlite.passes import check_input
from nnlite.utils import is_whole, not_negative, numbers, to_categorical


class Batch(NamedTuple):
    """Inputs and targets (N, ...), and weights (N,) or None."""

    x: Array
    target: Array
    weights: Array | None


class Reader:
    """Reads batches for one model and loss.

    class_weight  {class: factor of the loss of its examples}; 1 for a class that is not in it
    """

    def __init__(self, model: Network, loss: Loss, class_weight: Any = None) -> None:
        self.model, self.loss = model, loss
        self.class_weight = None if class_weight is None else read_class_weight(class_weight)

    def __call__(self, x: Any, y: Any, weights: Any) -> Batch:
        """Return the batch, with y in the output's shape and dtype; the model must be built.

        Raises ValueError unless x, y and weights fit the model and each other.
        """
        x, target = numbers(x, "x"), self._target(y)
        check_input(x, self.model.input_shape)
        if len(target) != len(x):
            raise ValueError(f"x and y must hold the same number of examples: {len(x)} and {len(target)}")
        if weights is None and self.class_weight is None:
            return Batch(x, target, None)
        if weights is not None and self.class_weight is not None:
            raise ValueError("give class_weight or sample_weight, not both")
        if self.class_weight is not None:
            return Batch(x, target, weights_of_classes(target, self.class_weight))
        return Batch(x, target, read_weights(weights, len(x)))

    def _target(self, y: Any) -> Array:
        model, target = self.model, numbers(y, "y")
        if target.ndim == 0:
            raise ValueError("y must hold one row an example, not a single number")
        wanted = (len(target), *model.output_shape)
        labels = wanted[-1] > 1 and target.shape in (wanted[:-1], (*wanted[:-1], 1))
        if labels and self.loss.reads_labels:
            target = to_categorical(target.reshape(wanted[:-1]), wanted[-1])
        elif target.shape == wanted[:-1] and wanted[-1] == 1:
            target = target[..., None]  # Keras's one forgiveness: (N,) targets of a one-column output
        if target.shape != wanted:
            raise ValueError(f"y {target.shape} must have the same shape as the model's output, {wanted}")
        return np.ascontiguousarray(target, model.dtype)


def read_weights(given: Any, examples: int, what: str = "sample_weight") -> Array:
    """Return weights (N,). Raises ValueError unless they are N finite numbers >= 0."""
    weights = numbers(given, what)
    if weights.shape != (examples,) or not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError(f"{what} must be {examples} finite numbers >= 0, not {weights.shape}")
    return weights


def read_class_weight(given: Any) -> dict[int, float]:
    """Return {class: weight}. Raises ValueError unless classes are whole numbers, and weights >= 0."""
    if not isinstance(given, Mapping) or not all(is_whole(label) for label in given):
        raise ValueError(
            f"class_weight must be {{class: weight}} with whole numbers as classes, not {given!r}"
        )
    return {int(label): not_negative(weight, f"class_weight[{label}]") for label, weight in given.items()}


def weights_of_classes(target: Array, class_weight: Mapping[int, float]) -> Array:
    """Return the weight (N,) of each example's class, the largest column or the one column's number."""
    if target.ndim != 2:
        raise ValueError(f"class_weight needs one class for each example, not targets {target.shape}")
    if target.shape[1] == 1:
        labels = target[:, 0]
        if (labels != np.rint(labels)).any():
            raise ValueError("class_weight needs targets that are classes: whole numbers, or one-hot rows")
    else:
        labels = target.argmax(axis=1)
        beyond = [label for label in class_weight if not 0 <= label < target.shape[1]]
        if beyond:
            raise ValueError(
                f"class_weight has the class {beyond[0]}, but there are {target.shape[1]} columns"
            )
    return np.array([class_weight.get(int(label), 1.0) for label in labels])


def check_examples(x: Array, y: Array) -> None:
    """Raise ValueError unless x (N, ...) and y (N, ...) hold the same number of examples, at least one."""
    if x.ndim == 0 or y.ndim == 0:
        raise ValueError("x and y must hold one row an example, not a single number")
    if len(x) != len(y) or len(x) == 0:
        raise ValueError(
            f"x and y must hold the same number of examples, at least one: {len(x)} and {len(y)}"
        )


def all_finite(array: Array) -> bool:
    """Are all these numbers finite?"""
    if array.dtype in (np.float32, np.float64) and array.flags.c_contiguous:
        # one compiled pass; a sum that is not finite may have overflowed
        if math.isfinite(_adam.sum_of_squares(array.reshape(-1))):
            return True
    return bool(np.isfinite(array).all())
