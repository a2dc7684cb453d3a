"""`python -m rl`: what there is. `python -m rl TOOL ...`: run one of the tools."""

from __future__ import annotations

import difflib
import importlib
import sys

from rl.articles import ARTICLES
from rl.command.cli import replace_unwritable
from rl.command.text import terminal_width, wrapped, writable

TOOLS = {
    "all": ("rl.tools.all", "run every article and write one page with all results (--quick: minutes)"),
    "sweep": (
        "rl.tools.sweep",
        "many seeds and settings of an article, in parallel, on one machine or a cluster",
    ),
    "compare": ("rl.tools.compare", "settings beside each other: means with intervals, on one page"),
    "plot": ("rl.tools.plot", "lay the learning curves of several runs over each other"),
    "export": ("rl.tools.export", "a run's network as an ONNX file, compared with ours in onnxruntime"),
    "bench": ("rl.tools.bench", "speed beside the frameworks that are installed (from a clone)"),
    "doctor": ("rl.tools.doctor", "versions, compiled kernels, threads, display: what a bug report needs"),
}

WHAT = 32  # the column in which it is said what a command does


def main(argv: list[str]) -> int:
    """Show the list, or hand over to a tool; returns the exit code."""
    replace_unwritable()
    if not argv or argv[0] in ("-h", "--help"):
        print(listing())
        return 0
    name, *rest = argv
    if name in TOOLS:
        return int(importlib.import_module(TOOLS[name][0]).main(rest))
    if name in {article.module for article in ARTICLES}:
        print(f"error: {name} is an article\n  run it: python -m rl.{name}", file=sys.stderr)
        return 2
    near = difflib.get_close_matches(name, [*TOOLS, *(a.module for a in ARTICLES)], 1)
    hint = f"did you mean {near[0]}? " if near else ""
    print(f"error: there is no {name!r}\n  {hint}python -m rl lists what there is", file=sys.stderr)
    return 2


def listing() -> str:
    """The ten articles and the tools."""
    lines = ["Ten articles. --help shows the settings of each, --play what it learned:", ""]
    for article in ARTICLES:
        lines.append(_entry(f"python -m rl.{article.module}", article.shows))
        lines.append(_entry("", f"{article.title}; about {article.takes}; expect: {article.expect}"))
    lines += ["", "Tools:", ""]
    lines += [_entry(f"python -m rl {name}", what) for name, (_, what) in TOOLS.items()]
    return writable("\n".join(lines))


def _entry(command: str, what: str) -> str:
    return f"  {command:<{WHAT - 2}}" + wrapped(what, terminal_width(), WHAT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
