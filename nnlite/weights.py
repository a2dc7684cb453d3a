"""Weights as a layer declares them, and what a network tells its optimizer of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from nnlite import initializers, regularizers
from nnlite.arrays import Array
from nnlite.attributes import Guarded

Shape = tuple[int, ...]


@dataclass(eq=False)
class Weight(Guarded):
    """A weight that a layer declares in `build`; the model gives it a place in a flat array.

    Trainable weights lie in `params`, the others (moving statistics) in `state`.
    """

    name: str
    shape: Shape
    initializer: initializers.Initializer
    regularizer: regularizers.Regularizer | None = None
    trainable: bool = True
    # views, once the model is built
    value: Array = field(default_factory=lambda: np.zeros(0), repr=False)
    gradient: Array = field(default_factory=lambda: np.zeros(0), repr=False)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    def _place(self, name: str) -> Array | None:
        held = getattr(self, name, None)
        return held if isinstance(held, np.ndarray) and held.size else None


class Variables(list[slice]):
    """The place in `params` of every trained weight, and what else an optimizer must know.

    frozen  the places of layers that are not trainable at present: a step leaves their weights as they are
    lock    held while weights change or are read without the interpreter's lock
    names   of the weights in their layers: kernel, bias, ...
    """

    def __init__(self, places: Iterable[slice], lock: Any, names: Iterable[str] = ()) -> None:
        super().__init__(places)
        self.names = list(names)
        self.frozen: list[slice] = []
        self.lock = lock


OWNERS: WeakValueDictionary[int, Variables] = WeakValueDictionary()
"""Address of a network's params -> its variables, for an optimizer that is bound to the arrays alone."""


def owner_of(params: Array, variables: Iterable[slice] | None = None) -> Variables | None:
    """Return the variables of the network whose params (P,) these are; None if they are no network's."""
    if isinstance(variables, Variables):
        return variables
    return OWNERS.get(params.ctypes.data) if params.size else None
