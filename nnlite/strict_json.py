"""JSON exactly as the standard defines it, for text from untrusted files.

Python's reader accepts more: NaN and Infinity, two values under one name (the last wins), 1e999 as infinity,
and nesting until the interpreter's stack is full. Here each of these is a ValueError.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

MAX_DEPTH = 100


def loads(text: str | bytes) -> Any:
    """Parse `text`. Raises ValueError naming the fault."""
    if isinstance(text, (bytes, bytearray)):
        text = text.decode("utf-8")  # its error is a ValueError
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None
    _check_depth(value)
    return value


def dumps(value: Any) -> str:
    """Return JSON that `loads` reads, equal text for equal values. Raises ValueError for NaN and infinity."""
    return json.dumps(value, sort_keys=True, allow_nan=False)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("JSON has two values under one name")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"JSON has {name}, which is no number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"JSON has a number that is too large: {digits[:20]}")
    return number


def _check_depth(value: Any) -> None:
    """Raise ValueError if value is nested deeper than MAX_DEPTH; level by level, which needs no stack."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for one in level
            if isinstance(one, (dict, list))
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return
    raise ValueError(f"JSON is nested deeper than {MAX_DEPTH}")
