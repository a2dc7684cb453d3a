"""What a user can put right: one line saying what, one line saying what to do."""

from __future__ import annotations


class UsageError(ValueError):
    """A request that cannot work, before anything was done; the command line prints both lines and exits
    with 2.
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what, remedy)  # its args, which carry it from one process to another

    def __str__(self) -> str:
        return "\n  ".join(self.args)


def require(holds: bool, what: str, remedy: str) -> None:
    """Raise UsageError unless it holds."""
    if not holds:
        raise UsageError(what, remedy)
