"""Small functions that several modules share, and Keras's `utils`."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from nnlite.arrays import Array
from nnlite.dataset import PyDataset as PyDataset

INF = math.inf
Sequence = PyDataset  # its name in Keras 2


def to_categorical(labels: Any, num_classes: int | None = None) -> Array:
    """Return one-hot rows of integer class labels.

    labels       any shape of integers >= 0
    num_classes  columns; the largest label + 1 by default

    Returns labels.shape + (num_classes,) float32. Raises ValueError if a label does not fit.
    """
    labels = numbers(labels, "labels")
    whole = labels.astype(np.int64)
    if labels.size and (whole.min() < 0 or np.any(whole != labels)):
        raise ValueError("to_categorical needs integer labels >= 0")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        whole = whole[..., 0]
    highest = int(whole.max()) + 1 if whole.size else 0
    columns = highest if num_classes is None else positive(num_classes, "num_classes")
    if highest > columns:
        raise ValueError(f"label {highest - 1} does not fit into num_classes={columns}")
    onehot = np.zeros((whole.size, columns), np.float32)
    onehot[np.arange(whole.size), whole.ravel()] = 1.0
    return onehot.reshape(whole.shape + (columns,))


def snake_case(name: str) -> str:
    """Turn GlorotNormal into glorot_normal, Conv2D into conv2d, MaxPooling2D into max_pooling2d."""
    return "".join(
        "_" + c.lower() if c.isupper() and i and name[i - 1].islower() else c.lower()
        for i, c in enumerate(name)
    )


def missing_name(module: str, name: str, there: Iterable[str]) -> AttributeError:
    """Make the error for a name that Keras may have and nnlite has not; it lists nnlite's names."""
    return AttributeError(f"{module} has no {name!r}; there are {', '.join(sorted(there))}")


def refuse_unknown(unknown: Iterable[str], who: str, *signatures: Callable[..., Any]) -> None:
    """Raise TypeError if there are unknown arguments, naming those of the signatures."""
    if not unknown:
        return
    parameters = [p for signature in signatures for p in inspect.signature(signature).parameters.values()]
    there = dict.fromkeys(p.name for p in parameters if p.kind is not p.VAR_KEYWORD and p.name != "self")
    raise TypeError(f"{who} has no argument {', '.join(map(repr, unknown))}; there are {', '.join(there)}")


def call_text(cls: type, arguments: Mapping[str, Any]) -> str:
    """Return the call that makes an object: `SGD(momentum=0.9)`, without defaults and without the name."""
    usual: dict[str, Any] = {}
    for base in cls.__mro__[-2::-1]:
        usual |= {p.name: p.default for p in inspect.signature(base).parameters.values()}
    usual["name"] = arguments.get("name")
    given = {name: value for name, value in arguments.items() if value != usual.get(name, usual)}
    texts = [f"{name}={getattr(value, '__name__', repr(value))}" for name, value in given.items()]
    return f"{cls.__name__}({', '.join(texts)})"


def pair(value: Any, what: str) -> tuple[int, int]:
    """Turn 3 into (3, 3), keep (2, 4). Raises ValueError unless both are integers >= 1."""
    two = (value, value) if isinstance(value, (int, np.integer)) else value
    if not isinstance(two, (tuple, list)) or len(two) != 2 or not all(is_whole(n) and n >= 1 for n in two):
        raise ValueError(f"{what} must be one or two whole numbers >= 1, not {value!r}")
    return int(two[0]), int(two[1])


def positive(value: Any, what: str) -> int:
    """Return the value as an int. Raises ValueError unless it is an integer >= 1."""
    if not is_whole(value) or value < 1:
        raise ValueError(f"{what} must be a whole number >= 1, not {value!r}")
    return int(value)


def is_whole(value: Any) -> bool:
    """Return whether it is an integer, of Python or NumPy, and no truth value."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def real(
    value: Any, what: str, least: float = -math.inf, below: float = math.inf, above: float = -math.inf
) -> float:
    """Return the value as a float with least <= value < below, value > above.

    Raises ValueError unless it is a finite number in these bounds: text and truth values are none.
    """
    is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if is_number and math.isfinite(value) and least <= value < below and value > above:
        return float(value)
    if below < INF:
        bounds = f"in [{least:g}, {below:g})"
    else:
        bounds = f"> {above:g}" if above > -INF else f">= {least:g}" if least > -INF else ""
    raise ValueError(f"{what} must be a finite number {bounds}".rstrip() + f", not {value!r}")


def not_negative(value: Any, what: str) -> float:
    """Return a finite number >= 0."""
    return real(value, what, least=0)


def above_zero(value: Any, what: str) -> float:
    """Return a finite number > 0."""
    return real(value, what, above=0)


def flag(value: Any, what: str) -> bool:
    """Return the value as a bool. Raises ValueError unless it is True or False: "no" is neither."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{what} must be True or False, not {value!r}")
    return bool(value)


def numbers(value: Any, what: str) -> Array:
    """Return the value as an aligned array of real numbers.

    Raises ValueError for text, dates, complex numbers, rows of unequal length, and masked elements.
    """
    if type(value) is not np.ndarray:
        value = _as_array(value, what)
    array: Array = value
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{what} must hold real numbers, not {array.dtype}")
    return array if array.flags.aligned else array.copy()


def _as_array(value: Any, what: str) -> Array:
    if np.ma.is_masked(value):
        raise ValueError(f"{what} has masked elements; replace them first, {what}.filled(0) for example")
    try:
        return np.asarray(value)
    except ValueError as problem:  # rows of unequal length, for example
        raise ValueError(f"{what} cannot be read as an array: {problem}") from None


ALIGNMENT = 64  # bytes: a cache line, and the widest vector


def aligned_zeros(shape: tuple[int, ...], dtype: Any) -> Array:
    """Return np.zeros whose address is a multiple of 64 bytes, where vector loads are fastest."""
    itemsize = np.dtype(dtype).itemsize
    size = int(np.prod(shape))
    raw = np.zeros(size + ALIGNMENT // itemsize, dtype)
    start = -raw.ctypes.data % ALIGNMENT // itemsize
    return raw[start : start + size].reshape(shape)
