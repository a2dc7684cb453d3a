"""The command line of a tool: flags from a dataclass, errors of two lines, exit codes, as for articles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from rl.command.cli import exit_codes, parse
from rl.command.errors import require

S = TypeVar("S")


def run_tool(
    name: str,
    settings_class: type[S],
    action: Callable[[S], int],
    argv: list[str],
    summary: str,
    examples: tuple[str, ...],
) -> int:
    """Parse the flags and run the action.

    Returns its exit code, or 1 failed, 2 wrong usage, 130 interrupted.
    """

    @exit_codes
    def command() -> int:
        return action(parse(settings_class, f"python -m rl {name}", summary, examples, argv=argv))

    return command()


def require_output(name: str, *endings: str) -> Path:
    """Check --out: one of the endings, in a folder that exists; raises UsageError."""
    path = Path(name)
    require(path.suffix in endings, f"--out is {name}", f"name a file that ends in {' or '.join(endings)}")
    require(path.parent.is_dir(), f"there is no folder {path.parent}", "make it, or name another with --out")
    return path
