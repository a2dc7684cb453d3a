"""Standard output as a program may have it: a terminal, a file, an object that can only write, nothing."""

from __future__ import annotations

import sys


def is_terminal() -> bool:
    """Say whether standard output is a terminal, on which a line can be written again."""
    out = sys.stdout
    return not is_silent() and bool(hasattr(out, "isatty") and out.isatty())


def is_silent() -> bool:
    """Say whether there is no standard output, as in a program with a window only, or it is closed."""
    return sys.stdout is None or bool(getattr(sys.stdout, "closed", False))


def say(text: str, end: str = "\n") -> None:
    """Print at once; do nothing where there is no standard output."""
    if is_silent():
        return
    print(text, end=end)
    if hasattr(sys.stdout, "flush"):
        sys.stdout.flush()
