"""Penalties on weights, added to the loss. Keras's names and defaults."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.arrays import Array
from nnlite.attributes import Guarded, checked
from nnlite.names import from_registry, registry_name
from nnlite.utils import missing_name, not_negative


class Regularizer(Guarded):
    """A penalty: value(w) is added to the loss, gradient(w) to the weight's gradient."""

    def value(self, w: Array) -> float:
        """Return what the weight w (any shape) adds to the loss."""
        raise TypeError("Regularizer is abstract: use L1, L2 or L1L2")

    def gradient(self, w: Array) -> Array:
        """Return the derivative of value, in w's shape and dtype."""
        raise TypeError("Regularizer is abstract: use L1, L2 or L1L2")

    def get_config(self) -> dict[str, Any]:
        """Return the name and, as the constructor's arguments, all attributes."""
        return {"name": registry_name(self), **vars(self)}


class L1L2(Regularizer):
    """l1 * sum|w| + l2 * sum w^2, with gradient l1 * sign(w) + 2 * l2 * w (subgradient 0 at w = 0)."""

    l1: float = checked(not_negative)
    l2: float = checked(not_negative)

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = l1, l2

    def value(self, w: Array) -> float:
        return self.l1 * float(np.abs(w).sum()) + self.l2 * float(np.square(w).sum())

    def gradient(self, w: Array) -> Array:
        return w.dtype.type(self.l1) * np.sign(w) + w.dtype.type(2.0 * self.l2) * w

    def get_config(self) -> dict[str, Any]:
        return {"name": "l1_l2", "l1": self.l1, "l2": self.l2}


class L1(L1L2):
    """l1 * sum|w|."""

    def __init__(self, l1: float = 0.01) -> None:
        super().__init__(l1=l1)

    def get_config(self) -> dict[str, Any]:
        return {"name": "l1", "l1": self.l1}


class L2(L1L2):
    """l2 * sum w^2."""

    def __init__(self, l2: float = 0.01) -> None:
        super().__init__(l2=l2)

    def get_config(self) -> dict[str, Any]:
        return {"name": "l2", "l2": self.l2}


REGISTRY: dict[str, type[Regularizer]] = {"l1": L1, "l2": L2, "l1_l2": L1L2}
l1, l2, l1_l2 = L1, L2, L1L2


def get(identifier: str | Regularizer | dict[str, Any] | None) -> Regularizer | None:
    """Return the regularizer of this name, class, config or object; None stays None."""
    return None if identifier is None else from_registry(identifier, REGISTRY, Regularizer, "regularizer")


def __getattr__(name: str) -> Any:
    raise missing_name("nnlite.regularizers", name, ["l1", "l2", "l1_l2", "L1", "L2", "L1L2"])
