"""The arrays that an optimizer may be bound to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnlite.arrays import Array


def check_arrays(params: Array, grads: Array) -> None:
    """Raise ValueError unless both can be changed in place, are flat and alike, and share no memory."""
    for name, array in (("params", params), ("grads", grads)):
        fits = isinstance(array, np.ndarray) and array.dtype in (np.float32, np.float64)
        if not fits or not array.flags.carray:
            raise ValueError(f"{name} must be a contiguous, writeable array of float32 or float64")
    if params.shape != grads.shape or params.dtype != grads.dtype or params.ndim != 1:
        raise ValueError(
            f"params {params.dtype}{params.shape} and grads {grads.dtype}{grads.shape} must be flat and alike"
        )
    if np.may_share_memory(params, grads):
        raise ValueError("params and grads must not share memory")


def edges_of(variables: Sequence[slice] | None, size: int) -> list[int]:
    """Return 0 and the end of each variable; all `size` numbers are one if there are none.

    Raises ValueError unless the variables lie one behind the other and reach from 0 to `size`.
    """
    places = [slice(0, size)] if variables is None else variables
    edges = [0, *(place.stop for place in places)]
    if edges[-1] != size or [place.start for place in places] != edges[:-1]:
        raise ValueError(f"variables must be slices that lie one behind the other and reach from 0 to {size}")
    return edges
