"""What a state is made of: dicts with text keys, lists, numbers, texts, None, NumPy arrays and Rings, nested
as one likes.

`pack` parts it into JSON and named arrays, `unpack` puts it together again, every bit as it was. Tuples come
back as lists, NumPy's numbers as Python's; NaN and infinity are kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnlite.arrays import Array
from rl.core.ring import Ring

SMALL_RING = 1 << 22  # bytes; one that is smaller is an array like any other
ARRAY, RING, FLOAT = "$array", "$ring", "$float"


def pack(tree: Any, arrays: dict[str, Array], rings: dict[str, Ring], path: str = "state") -> Any:
    """The JSON of a tree; arrays and rings are put into the two dicts, under their paths, as they are.

    Raises TypeError for anything that is not named above.
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


def unpack(told: Any, array: Callable[[str], Array], ring: Callable[[str], Array]) -> Any:
    """The tree of what `pack` told; `array` and `ring` give those of a path.

    Raises ValueError when it makes no sense.
    """
    if isinstance(told, list):
        return [unpack(value, array, ring) for value in told]
    if not isinstance(told, dict):
        return told
    if len(told) == 1:
        ((key, value),) = told.items()
        if key in (ARRAY, RING):
            return (array if key == ARRAY else ring)(value)
        if key == FLOAT and value in ("nan", "inf", "-inf"):
            return float(value)
    if any(key.startswith("$") for key in told):
        raise ValueError(f"a state has no entry {sorted(told)[0]!r}")
    return {key: unpack(value, array, ring) for key, value in told.items()}
