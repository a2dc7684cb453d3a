"""Does a value belong to a space? Say in words why not.

Bounds of a Box are not judged, and numbers may be converted as NumPy does within a kind: float64 to float32,
integers to floats. All else would be misread, or fail later with an error that names no environment.
"""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from nnlite.arrays import Array

NUMBER_KINDS, FLAG_KINDS = "biuf", "biu"


def misfit(space: spaces.Space[Any], value: Any) -> str:
    """Return what is wrong with a value of this space: "shape (3,)", and an empty text when nothing is."""
    if isinstance(space, spaces.Discrete):
        return "" if _is_label(space, value) else f"{short(value)}, which is not in {space}"
    if isinstance(space, spaces.Dict):
        if not isinstance(value, Mapping) or set(value) != set(space.spaces):
            return f"{short(value)}, which is no dict of {', '.join(map(repr, space.spaces))}"
        return _first_misfit((f"[{key!r}]", part, value[key]) for key, part in space.spaces.items())
    if isinstance(space, spaces.Tuple):
        if not isinstance(value, (tuple, list)) or len(value) != len(space.spaces):
            return f"{short(value)}, which is no tuple of {len(space.spaces)}"
        return _first_misfit((f"[{k}]", part, one) for k, (part, one) in enumerate(zip(space.spaces, value)))
    if isinstance(space, (spaces.Box, spaces.MultiDiscrete, spaces.MultiBinary)):
        return _array_misfit(space, value)
    return ""


def _first_misfit(parts: Any) -> str:
    """Return the first fault of (place, space, value)."""
    found = ((place, misfit(space, value)) for place, space, value in parts)
    return next((f"{text} at {place}" for place, text in found if text), "")


def _is_label(space: spaces.Discrete, value: Any) -> bool:
    whole = isinstance(value, numbers.Integral) or (
        isinstance(value, np.ndarray) and value.shape == () and value.dtype.kind in "iu"
    )
    return whole and 0 <= int(value) - int(space.start) < int(space.n)


def _array_misfit(space: Any, value: Any) -> str:
    """Judge the shape and type of an array, and the range of labels."""
    if isinstance(value, np.ma.MaskedArray):
        return "a masked array"
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):
        return f"{short(value)}, which is no array"
    if array.shape != space.shape:
        return short(value) if array.shape == () else f"shape {array.shape}, not {space.shape}"
    if not np.can_cast(array.dtype, space.dtype, "same_kind"):
        return f"{array.dtype} numbers, not {space.dtype}"
    if isinstance(space, spaces.Box):
        return "" if _survives(array, space.dtype) else f"numbers that {space.dtype} cannot hold"
    first, count = (0, 2) if isinstance(space, spaces.MultiBinary) else (space.start, space.nvec)
    labels = array.astype(np.int64) - first
    inside = bool(((labels >= 0) & (labels < count)).all())
    return "" if inside else f"{short(value)}, which is not in {space}"


def _survives(array: Array, dtype: Any) -> bool:
    """Return whether finite numbers stay finite, and whole ones the same, in another type of their kind."""
    if array.dtype == dtype:
        return True
    with np.errstate(over="ignore"):
        stored = array.astype(dtype)
    if stored.dtype.kind == "f":
        return bool((np.isfinite(stored) | ~np.isfinite(array)).all())
    return bool((stored == array).all())


def is_number(value: Any) -> bool:
    """Return whether a reward is one real number: of Python, of NumPy, or an array without axes."""
    if isinstance(value, numbers.Real):
        return True
    if isinstance(value, np.ma.MaskedArray) or getattr(value, "shape", None) != ():
        return False
    return _converts(float, value) and np.asarray(value).dtype.kind in NUMBER_KINDS


def is_flag(value: Any) -> bool:
    """Return whether a flag is True or False, or 1 or 0, of Python or of NumPy."""
    if isinstance(value, (bool, np.bool_)):
        return True
    if isinstance(value, np.ma.MaskedArray) or np.shape(value) != ():
        return False
    return np.asarray(value).dtype.kind in FLAG_KINDS and int(value) in (0, 1)


def _converts(kind: type, value: Any) -> bool:
    try:
        kind(value)
    except (TypeError, ValueError):
        return False
    return True


def is_row(values: Any, games: int, kinds: str) -> bool:
    """Return whether these are an array (games,) of numbers of these kinds, as a vector environment gives."""
    plain = isinstance(values, np.ndarray) and not isinstance(values, np.ma.MaskedArray)
    row: Array = values
    return plain and row.shape == (games,) and row.dtype.kind in kinds


def short(value: Any) -> str:
    """Show a value in a few words."""
    text = " ".join(repr(value).split())
    kind = type(value).__name__
    return "None" if value is None else f"{kind} {text if len(text) <= 60 else text[:60] + '...'}"
