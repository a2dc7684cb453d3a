"""The frame of a tool's `main`: flags from a dataclass, errors of two lines, exit codes; as the articles
have it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rl.command.cli import exit_codes, parse

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

    @exit_codes
    def command() -> int:
        return action(parse(settings_class, f"python -m rl {name}", summary, examples, argv=argv))

    return command()
