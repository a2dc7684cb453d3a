"""Convert a state to JSON and named arrays, and back, bit for bit.

A state is a nested dict with text keys; its values are dicts, lists, numbers, texts, None, NumPy arrays and
Rings. Tuples come back as lists, NumPy scalars as Python numbers; NaN and infinity are preserved.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnlite.arrays import Array
from rl.core.ring import Ring

SMALL_RING = 1 << 22  # bytes; a smaller ring is stored as an ordinary array
ARRAY, RING, FLOAT = "$array", "$ring", "$float"


def pack(tree: Any, arrays: dict[str, Array], rings: dict[str, Ring], path: str = "state") -> Any:
    """Convert a tree to JSON; its arrays and rings are added to the two dicts under their paths, uncopied.

    Raises TypeError for any other type.
    """
    if isinstance(tree, Ring) and tree.nbytes < SMALL_RING:
        tree = tree.array
    if isinstance(tree, Ring):
        rings[path] = tree
        return {RING: path}
    if isinstance(tree, np.ndarray):
        arrays[path] = tree
        return {ARRAY: path}
    if isinstance(tree, np.generic):
        return pack(tree.item(), arrays, rings, path)
    if isinstance(tree, float) and not math.isfinite(tree):
        return {FLOAT: str(tree)}
    if tree is None or isinstance(tree, (bool, int, float, str)):
        return tree
    if isinstance(tree, (list, tuple)):
        return [pack(value, arrays, rings, f"{path}/{index}") for index, value in enumerate(tree)]
    if isinstance(tree, dict):
        for key in tree:
            if not isinstance(key, str) or key.startswith("$"):
                raise TypeError(f"{path} has the key {key!r}: keys are texts that do not begin with $")
        return {key: pack(value, arrays, rings, f"{path}/{key}") for key, value in tree.items()}
    raise TypeError(f"{path} is a {type(tree).__name__}, which a state cannot hold")


def unpack(packed: Any, array: Callable[[str], Array], ring: Callable[[str], Array]) -> Any:
    """Convert the JSON of `pack` back to a tree; `array` and `ring` return the array of a path.

    Raises ValueError for an unknown entry.
    """
    if isinstance(packed, list):
        return [unpack(value, array, ring) for value in packed]
    if not isinstance(packed, dict):
        return packed
    if len(packed) == 1:
        ((key, value),) = packed.items()
        if key in (ARRAY, RING):
            return (array if key == ARRAY else ring)(value)
        if key == FLOAT and value in ("nan", "inf", "-inf"):
            return float(value)
    if any(key.startswith("$") for key in packed):
        raise ValueError(f"a state has no entry {sorted(packed)[0]!r}")
    return {key: unpack(value, array, ring) for key, value in packed.items()}
