"""Errors that a user can correct: one line says what is wrong, one line what to do."""

from __future__ import annotations


class UsageError(ValueError):
    """A request that cannot work, found before anything was done.

    The command line prints both lines and exits with 2.
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what, remedy)  # pickle needs both as args

    def __str__(self) -> str:
        return "\n  ".join(self.args)


def require(holds: bool, what: str, remedy: str) -> None:
    """Raise UsageError unless the condition holds."""
    if not holds:
        raise UsageError(what, remedy)
