"""An action as the environments here take it."""

from __future__ import annotations

import operator
from typing import Any


def action_index(action: Any) -> int:
    """The action as an int; -1, which no environment knows, for what is no whole number."""
    try:
        return operator.index(action)
    except (TypeError, OverflowError):
        return -1
