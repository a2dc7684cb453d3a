"""Losses: (prediction, target) -> (value, dprediction).

value is the mean over the batch; dprediction is its exact derivative, in prediction's shape. Shapes must be
equal: a (N,) target never broadcasts against a (N, 1) prediction, but raises ValueError naming both.

Losses compute in the prediction's float32 or float64. Integers, bytes and lists are read as float64, half
precision as float32. A loss over one class is constant, and warns.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from nnlite.arrays import Array
from nnlite.losses.base import Loss, LossResult
from nnlite.losses.builtin import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Huber,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
from nnlite.losses.function import FunctionLoss
from nnlite.names import find, from_registry
from nnlite.reference.crossentropy import log_softmax as log_softmax
from nnlite.utils import missing_name

mean_squared_error = mse = MeanSquaredError()
mean_absolute_error = mae = MeanAbsoluteError()
categorical_crossentropy = CategoricalCrossentropy()
categorical_crossentropy_from_logits = CategoricalCrossentropy(from_logits=True)
binary_crossentropy = BinaryCrossentropy()
binary_crossentropy_from_logits = BinaryCrossentropy(from_logits=True)


def huber(prediction: Array, target: Array, delta: float = 1.0) -> LossResult:
    """Return Huber(delta)'s value and gradient."""
    return Huber(delta)(prediction, target)


REGISTRY: dict[str, type[Loss]] = {
    "mean_squared_error": MeanSquaredError,
    "mse": MeanSquaredError,
    "mean_absolute_error": MeanAbsoluteError,
    "mae": MeanAbsoluteError,
    "huber": Huber,
    "categorical_crossentropy": CategoricalCrossentropy,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "binary_crossentropy": BinaryCrossentropy,
}
CLASSES = {cls.__name__ for cls in REGISTRY.values()} | {"Loss"}
__all__ = [
    "REGISTRY",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Huber",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "get",
    "huber",
]


def get(identifier: str | Loss | Callable[..., Any] | dict[str, Any]) -> Loss:
    """Return the loss of this name, class, config or object; a function of one's own becomes a loss."""
    if identifier is huber:
        return Huber()
    name = identifier.get("name") if isinstance(identifier, dict) else identifier
    if isinstance(name, str) and (own := find(name)) is not None:
        return FunctionLoss(own)
    if callable(identifier) and not inspect.isclass(identifier) and not isinstance(identifier, Loss):
        return FunctionLoss(identifier)
    return from_registry(identifier, REGISTRY, Loss, "loss")


def __getattr__(name: str) -> Any:
    raise missing_name("nnlite.losses", name, {*REGISTRY, *CLASSES})
