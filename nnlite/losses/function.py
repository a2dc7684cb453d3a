"""Losses that are a function of one's own, (prediction, target) -> (value, gradient)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnlite.arrays import Array
from nnlite.losses.base import Loss, LossResult, read_result
from nnlite.names import serialize
from nnlite.own import by_names, name_of


class FunctionLoss(Loss):
    """A function that returns (value, gradient) of a batch's mean; its parameters are read by their names."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function, self._call = function, by_names(function, "loss function")

    def __call__(self, prediction: Any, target: Any, weights: Array | None = None) -> LossResult:
        if weights is not None:
            raise ValueError(
                f"{name_of(self._function)} gives the mean of a batch, so its examples cannot be weighted; "
                "make it a class: losses.Loss with value and gradient"
            )
        return read_result(self._call(prediction, target), name_of(self._function), prediction.shape)

    def get_config(self) -> dict[str, Any]:
        return serialize(self._function)

    def __repr__(self) -> str:
        return name_of(self._function)
