"""Errors that a user can correct: one line says what is wrong, one line what to do."""

from __future__ import annotations

from typing import Any

from nnlite.utils import is_whole

ANYTHING = (Exception, SystemExit)  # what foreign code may raise: all but KeyboardInterrupt, the user's own
LONGEST = 300  # characters of a foreign error's text


class TwoLines(Exception):
    """An error whose text is two lines."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what, remedy)  # pickle needs both as args

    def __str__(self) -> str:
        return "\n  ".join(self.args)


class UsageError(TwoLines, ValueError):
    """A request that cannot work, found before anything was done.

    The command line prints both lines and exits with 2.
    """


class EnvironmentFault(TwoLines):
    """A mistake in an environment's own code: an exception, or a value outside its space.

    The command line prints both lines and exits with 1.
    """


def require(holds: bool, what: str, remedy: str) -> None:
    """Raise UsageError unless the condition holds."""
    if not holds:
        raise UsageError(what, remedy)


def require_count(value: Any, name: str) -> None:
    """Raise UsageError unless the value is a whole number >= 1."""
    require(is_whole(value) and value >= 1, f"{name} is {value!r}", "give a whole number >= 1")


def describe(problem: BaseException) -> str:
    """Return type and text of an exception, on one line."""
    text = " ".join(str(problem).split())
    text = text if len(text) <= LONGEST else text[:LONGEST] + "..."
    return f"{type(problem).__name__}: {text}" if text else type(problem).__name__


def summarize(problem: BaseException) -> str:
    """Return the first line of an error of ours, and type and text of another one."""
    return str(problem.args[0]) if isinstance(problem, TwoLines) else describe(problem)
