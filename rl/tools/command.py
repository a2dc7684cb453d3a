"""The frame of a tool's `main`: flags from a dataclass, errors of two lines, exit codes; as the articles
have it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from rl.command.cli import answered, parse

S = TypeVar("S")


def tool(
    name: str,
    settings_class: type[S],
    action: Callable[[S], int],
    argv: list[str],
    summary: str,
    examples: tuple[str, ...],
) -> int:
    """Parse the flags and do it; returns its exit code, or 1 failed, 2 wrong usage, 130 interrupted."""
    shared: Any = settings_class
    return answered(lambda: action(parse(shared, argv, f"python -m rl {name}", summary, examples, {})))
