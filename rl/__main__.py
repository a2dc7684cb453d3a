"""`python -m rl` lists the articles and the tools; `python -m rl NAME ...` runs one of them."""

from __future__ import annotations

import difflib
import importlib
import shutil
import sys

from nnlite.terminal import is_terminal
from rl.articles import ARTICLES, COMMANDS
from rl.command.cli import VERSION, exit_codes
from rl.command.errors import UsageError
from rl.command.text import terminal_width, wrap, writable

TOOLS = {  # the tool NAME is the module rl.tools.NAME
    "all": "every article, and one page with all results",
    "sweep": "many seeds and settings of an article at once",
    "compare": "settings compared on one page, with intervals",
    "plot": "the learning curves of runs in one picture",
    "export": "a run's network as an ONNX file",
    "doctor": "what is installed and works: for a bug report",
}
COLUMN = 32  # column at which the descriptions begin
ROOMY = 40  # lines of a terminal that shows two lines for each article


@exit_codes
def main(argv: list[str]) -> int | None:
    """Print the list, or run an article or a tool."""
    if not argv or argv[0] in ("-h", "--help"):
        print(make_list())
        return 0
    if "--version" in argv:
        print(VERSION)
        return 0
    name, *rest = argv
    if name in TOOLS:
        return int(importlib.import_module(f"rl.tools.{name}").main(rest))
    if name in COMMANDS:
        return int(importlib.import_module(COMMANDS[name]).main(rest))
    near = difflib.get_close_matches(name, [*TOOLS, *COMMANDS], 1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UsageError(f"there is no {name!r}", f"{hint}python -m rl lists all commands")


def make_list() -> str:
    """List the ten articles and the tools; on a low terminal in so few lines that nothing scrolls away."""
    details = not is_terminal() or shutil.get_terminal_size().lines >= ROOMY
    lines = ["Ten articles. --help shows the settings of each, --play what it learned:", ""]
    for article in ARTICLES:
        lines.append(_entry(f"python -m rl.{article.module}", article.shows))
        if details:
            lines.append(_entry("", f"{article.title}; about {article.takes}; expect: {article.expect}"))
    lines += ["", "Tools:", ""]
    lines += [_entry(f"python -m rl {name}", what) for name, what in TOOLS.items()]
    return "\n".join(lines)


def _entry(command: str, what: str) -> str:
    return f"  {command:<{COLUMN - 2}}" + wrap(writable(what), terminal_width(), COLUMN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
