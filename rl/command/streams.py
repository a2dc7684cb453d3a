"""The standard streams of a command: there and whole whatever the process was given, quiet at its end.

A program without a console has no streams: None. A caller may put objects there that can only write. A reader
may leave before the end, and a disk may be full.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any

from rl.command.text import SPELLING

NEEDED = ("write", "flush", "isatty", "encoding", "fileno")


class WriteOnly(io.TextIOBase):
    """A text stream over an object of which only `write` is certain; over None it writes nowhere."""

    def __init__(self, target: Any) -> None:
        self.target = target

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the object; UTF-8 if it names none."""
        return getattr(self.target, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Pass the text on."""
        if self.target is not None:
            self.target.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the object if it can."""
        if hasattr(self.target, "flush"):
            self.target.flush()


@contextlib.contextmanager
def whole_streams() -> Iterator[None]:
    """Make sys.stdout and sys.stderr whole for a block; drop what they cannot write at its end."""
    before = sys.stdout, sys.stderr
    if None in (sys.__stdin__, sys.__stdout__, sys.__stderr__):
        occupy_descriptors()
    sys.stdout, sys.stderr = map(make_whole, before)
    try:
        yield
    finally:
        drop_unwritten(sys.stdout)
        drop_unwritten(sys.stderr)
        sys.stdout, sys.stderr = before


def make_whole(stream: Any) -> Any:
    """Return the stream, or one that writes to it and lacks nothing; it spells what its encoding lacks."""
    if stream is None or getattr(stream, "closed", False):
        return WriteOnly(None)
    if not all(hasattr(stream, name) for name in NEEDED):
        return WriteOnly(stream)
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors=SPELLING)
    return stream


def occupy_descriptors() -> None:
    """Open the null device as each of the descriptors 0, 1, 2 that is closed, for child processes too.

    Otherwise the next file of the run is descriptor 1 or 2, and what a library prints is written into it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def drop_unwritten(stream: Any) -> None:
    """Flush the stream; if that fails, send the rest to the null device, or Python complains at its end."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as null:
            os.dup2(null.fileno(), stream.fileno())
