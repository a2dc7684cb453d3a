"""Notes: what a user should know of a run that goes on. A command prints a line, the library warns."""

from __future__ import annotations

import os
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nnlite.terminal import say
from rl.command.errors import ANYTHING, summarize


class Note(UserWarning):
    """One line about a run, or about something that it does without."""


def note(text: str) -> None:
    """Tell the user a line, without stopping."""
    warnings.warn(text, Note, stacklevel=3)


@contextmanager
def extra(left_out: str) -> Iterator[None]:
    """Do what a finished run can do without. If it fails, a note says what is left out, and why.

    left_out  begins the note: "no replay"

    An interrupt is no failure and passes.
    """
    try:
        yield
    except ANYTHING as problem:
        if os.environ.get("RL_TRACEBACK"):
            traceback.print_exception(type(problem), problem, problem.__traceback__)
        note(f"{left_out}: {summarize(problem)}")


@contextmanager
def printed_notes() -> Iterator[None]:
    """Print each note once, as a line on standard output; other warnings stay as they are."""
    if getattr(warnings.showwarning, "prints_notes", False):  # an outer block does
        yield
        return
    said: set[str] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("always", Note)
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **options: Any) -> None:
            if not issubclass(category, Note):
                others(message, category, *place, **options)
            elif str(message) not in said:
                said.add(str(message))
                say(f"note: {message}")

        show.prints_notes = True  # type: ignore[attr-defined]
        warnings.showwarning = show
        yield
