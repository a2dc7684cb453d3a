"""Text for a terminal of any width, whose encoding may lack Japanese and Greek."""

from __future__ import annotations

import codecs
import shutil
import sys
import unicodedata

from nnlite.terminal import is_terminal

SPELLING = "rl.spelling"  # the handler of encoding errors that is registered below
SPELLED = {  # for an encoding that lacks them
    "ニューラルネットワーク": "neural networks",
    "ε": "epsilon",
    "→": "->",
    "±": "+/-",
    "×": "x",
    "–": "-",
}


def terminal_width() -> int:
    """Return the columns of the terminal, or of COLUMNS; 80 where there is none."""
    return shutil.get_terminal_size().columns


def width_of(text: str) -> int:
    """Count the columns of the text; a Japanese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def wrap(text: str, width: int, indent: int = 0) -> str:
    """Break the text at spaces into lines of at most `width` columns.

    indent  spaces before every line but the first, which is printed behind `indent` columns of other text
    """
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and indent + width_of(lines[-1]) + 1 + width_of(word) > width:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return ("\n" + " " * indent).join(lines)


def fit(line: str) -> str:
    """Break a line at spaces where standard output is a terminal; files keep it whole."""
    return wrap(line, terminal_width(), 2) if is_terminal() else line


def spell(problem: UnicodeError) -> tuple[str, int]:
    """Spell characters that an encoding lacks; ? if there is no spelling.

    Python calls it for the first run of such characters; the result is written in their place. The ? for a
    byte of a file's name that is no text stands for that byte in a shell too.
    """
    if isinstance(problem, UnicodeDecodeError):  # a stream that is also read
        return "\ufffd", problem.end
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    lacking = problem.object[problem.start : problem.end]
    for character, spelled in SPELLED.items():
        lacking = lacking.replace(character, spelled)
    return "".join(c if c.isascii() else "?" for c in lacking), problem.end


codecs.register_error(SPELLING, spell)


def writable(text: str) -> str:
    """Spell the text as standard output will write it, so that columns stay in line."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, SPELLING).decode(encoding)


def format_duration(seconds: float) -> str:
    """Format a time: 3.2 s, 48 s, 2 min 5 s, 3 h 20 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
