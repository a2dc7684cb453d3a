"""The frame of a tool's `main`: flags from a dataclass, errors of two lines, exit codes; as the articles have it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from rl.core.cli import parse, report
from rl.core.errors import UsageError

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
    try:
        return action(parse(shared, argv, f"python -m rl {name}", summary, examples, {}))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except SystemExit as stop:  # --help
        return int(stop.code or 0)
    except UsageError as problem:
        return report(problem, 2)
    except (OSError, ValueError, RuntimeError, MemoryError) as problem:
        return report(problem, 1)
