"""Array: the annotation of every NumPy array, of any dtype and shape. Docstrings give the shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def require_shapes(fit: bool, wanted: str, *arrays: Array) -> None:
    """Raise ValueError with the wanted shapes and those of the arrays, unless they fit."""
    if not fit:
        raise ValueError(f"need {wanted}; got {', '.join(str(a.shape) for a in arrays)}")
