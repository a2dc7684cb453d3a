"""Sphinx: the guide, and the API's pages from the docstrings.  python -m sphinx -W docs build/docs"""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path
from typing import Any

project = "nnlite-rl"
copyright = "the nnlite-rl contributors, MIT licence"
extensions = ["sphinx.ext.autodoc", "sphinx.ext.viewcode", "myst_parser"]
exclude_patterns: list[str] = []
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["wide.css"]
myst_heading_anchors = 3
highlight_language = "text"
smartquotes = False  # they would make one dash of the two before a flag
html_title = "nnlite-rl"
html_show_sphinx = False

autodoc_member_order = "bysource"
autodoc_default_options = {
    "members": True,
    "undoc-members": True,
    "show-inheritance": True,
    "ignore-module-all": True,
}
autodoc_typehints = "signature"
autodoc_type_aliases = {"Array": "Array", "Shape": "Shape"}
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 100
maximum_signature_line_length = 100
toc_object_entries_show_parents = "hide"

COLUMNS = re.compile(r"[^\s,]+(, [^\s,]+)* {2,}\S")  # begins with a name or some, then a gap
SPECIAL = re.compile(r"([\\*|_<>])")


HERE = Path(__file__).parent


def write_pages(app: Any) -> None:
    """api/: a page for each module, and one for each package that lists its own."""
    folder = HERE / "api"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.md"):
        old.unlink()
    for root in ("nnlite", "rl"):
        for package in sorted((HERE.parent / root).rglob("__init__.py")):
            write_package(folder, package.parent)


def write_package(folder: Path, package: Path) -> None:
    """The page of a package, with a list of its modules and packages, and those of its modules."""
    name = ".".join(package.relative_to(HERE.parent).parts)
    modules = [path.stem for path in package.glob("[!_]*.py")]
    packages = [path.parent.name for path in package.glob("*/__init__.py")]
    for module in modules:
        page(folder, f"{name}.{module}")
    inside = "\n".join(f"{name}.{part}" for part in sorted([*modules, *packages]))
    page(folder, name, f"\n```{{toctree}}\n:maxdepth: 1\n\n{inside}\n```\n" if inside else "")


def page(folder: Path, module: str, more: str = "") -> None:
    """The page of one module."""
    text = f"# {module}\n\n```{{eval-rst}}\n.. automodule:: {module}\n```\n"
    (folder / f"{module}.md").write_text(text + more, encoding="utf-8")


def process_docstring(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """The project's docstrings are text, not reStructuredText: what is aligned or indented stays as it is
    typed.
    """
    lines[:] = [line for paragraph in paragraphs(lines) for line in [*formatted(paragraph), ""]]


def paragraphs(lines: list[str]) -> list[list[str]]:
    """Lines between empty ones; indented and aligned paragraphs that follow each other are one."""
    found: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            found[-1].append(line.rstrip())
        elif found[-1]:
            found.append([])
    merged: list[list[str]] = []
    for paragraph in filter(None, found):
        if merged and is_typed(merged[-1]) and is_typed(paragraph):
            merged[-1] += ["", *paragraph]
        else:
            merged.append(paragraph)
    return merged


def is_typed(paragraph: list[str]) -> bool:
    """Columns of names and meanings, a formula, or a table."""
    return all(line.startswith(" ") for line in paragraph) or any(COLUMNS.match(line) for line in paragraph)


def is_list(paragraph: list[str]) -> bool:
    """Lines that begin with a dash, and what belongs to them."""
    return any(line.startswith("- ") for line in paragraph)


def formatted(paragraph: list[str]) -> list[str]:
    """The paragraph as reStructuredText."""
    if is_list(paragraph) and not all(line.startswith(" ") for line in paragraph):
        head = [
            line for line in paragraph[: next(i for i, line in enumerate(paragraph) if line.startswith("- "))]
        ]
        return [*map(prose, head), "", *map(prose, paragraph[len(head) :])]
    if is_typed(paragraph):
        return ["::", "", *("    " + line for line in paragraph)]
    return [
        line
        for indented, group in groupby(paragraph, lambda line: line.startswith("    "))
        for line in part(indented, list(group))
    ]


def part(indented: bool, lines: list[str]) -> list[str]:
    """Lines of text, or a formula or table that stands right below its sentence."""
    return (
        ["", "::", "", *("    " + line for line in lines), ""]
        if indented
        else [prose(line) for line in lines]
    )


def prose(line: str) -> str:
    """A line of text: `code` as code, no other character with a meaning of its own."""
    pieces = line.split("`")
    if len(pieces) % 2 == 0:
        return SPECIAL.sub(r"\\\1", line).replace("`", r"\`")
    return "".join(
        code(piece) if odd % 2 and piece.strip() else SPECIAL.sub(r"\\\1", piece)
        for odd, piece in enumerate(pieces)
    )


def code(piece: str) -> str:
    """A literal, which may neither begin nor end in a space nor touch a letter."""
    return rf"\ ``{piece.strip()}``\ "


def process_signature(
    app: Any, what: str, name: str, thing: Any, options: Any, signature: Any, returned: Any
) -> Any:
    """The names of our types instead of what autodoc makes of them inside other types."""
    return tuple(
        text and re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", text) for text in (signature, returned)
    )


def setup(app: Any) -> None:
    app.connect("builder-inited", write_pages)
    app.connect("autodoc-process-docstring", process_docstring)
    app.connect("autodoc-process-signature", process_signature)
