"""Functions of one's own: a loss or a metric is called by its parameters' names.

nnlite's order is (prediction, target), Keras's (y_true, y_pred). Swapped arguments would silently train on
a wrong loss, so the names decide, in any order.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

ROLES = {"prediction": 0, "y_pred": 0, "target": 1, "y_true": 1}


def name_of(function: Any) -> str:
    """Return the function's name, or its class's."""
    return str(getattr(function, "__name__", type(function).__name__))


def by_names(function: Callable[..., Any], what: str) -> Callable[..., Any]:
    """Return the function as one of (prediction, target).

    what  of the error: "loss function" or "metric"

    Raises TypeError unless its two parameters without a default are named prediction or y_pred, and target or
    y_true.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    needed = [
        p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    ]
    roles = [ROLES.get(p.name) if p.kind is not p.KEYWORD_ONLY else None for p in needed]
    if roles == [0, 1]:
        return function
    if roles == [1, 0]:
        return lambda prediction, target: function(target, prediction)
    raise TypeError(
        f"the {what} {name_of(function)} must have two parameters named prediction and target, or y_pred and "
        f"y_true, in any order; it has ({', '.join(p.name for p in parameters)})"
    )
