"""`python -m rl` lists the articles and the tools; `python -m rl TOOL ...` runs a tool."""

from __future__ import annotations

import difflib
import importlib
import sys

from rl.articles import ARTICLES
from rl.command.cli import replace_unwritable
from rl.command.text import make_writable, terminal_width, wrap

TOOLS = {  # the tool NAME is the module rl.tools.NAME
    "all": "run every article and write one page with all results (--quick: minutes)",
    "sweep": "many seeds and settings of an article, in parallel, on one machine or a cluster",
    "compare": "compare settings: means with intervals, on one page",
    "plot": "plot the learning curves of several runs in one picture",
    "export": "a run's network as an ONNX file, compared with ours in onnxruntime",
    "doctor": "versions, compiled kernels, threads, display: for a bug report",
}
COLUMN = 32  # column at which the descriptions begin


def main(argv: list[str]) -> int:
    """Print the list, or run a tool; returns the exit code."""
    replace_unwritable()
    if not argv or argv[0] in ("-h", "--help"):
        print(make_list())
        return 0
    name, *rest = argv
    if name in TOOLS:
        return int(importlib.import_module(f"rl.tools.{name}").main(rest))
    if name in {article.module for article in ARTICLES}:
        print(f"error: {name} is an article\n  run it: python -m rl.{name}", file=sys.stderr)
        return 2
    near = difflib.get_close_matches(name, [*TOOLS, *(article.module for article in ARTICLES)], 1)
    hint = f"did you mean {near[0]}? " if near else ""
    print(f"error: there is no {name!r}\n  {hint}python -m rl lists all commands", file=sys.stderr)
    return 2


def make_list() -> str:
    """List the ten articles and the tools."""
    lines = ["Ten articles. --help shows the settings of each, --play what it learned:", ""]
    for article in ARTICLES:
        lines.append(_entry(f"python -m rl.{article.module}", article.shows))
        lines.append(_entry("", f"{article.title}; about {article.takes}; expect: {article.expect}"))
    lines += ["", "Tools:", ""]
    lines += [_entry(f"python -m rl {name}", what) for name, what in TOOLS.items()]
    return make_writable("\n".join(lines))


def _entry(command: str, what: str) -> str:
    return f"  {command:<{COLUMN - 2}}" + wrap(what, terminal_width(), COLUMN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
