"""Text for a terminal of any width, whose encoding may lack Japanese."""

from __future__ import annotations

import shutil
import sys
import unicodedata

PLAIN = {
    "ニューラルネットワーク": "neural networks"
}  # what is said where the terminal cannot write the original


def terminal_width() -> int:
    """Columns of the terminal, or of the one that COLUMNS describes; 80 where there is none."""
    return shutil.get_terminal_size().columns


def width_of(text: str) -> int:
    """Columns that the text takes: a Japanese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def wrapped(text: str, width: int, indent: int = 0) -> str:
    """The text, broken at spaces into lines of at most `width` columns; all but the first begin with `indent`
    spaces.

    The first line has already `indent` columns of something else in front of it.
    """
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and indent + width_of(lines[-1]) + 1 + width_of(word) > width:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return ("\n" + " " * indent).join(lines)


def writable(text: str) -> str:
    """The text as this terminal can write it."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        for original, plain in PLAIN.items():
            text = text.replace(original, plain)
    return text
