"""The tour names files and definitions that exist, visits each file once, and stays as short as it says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough  # checks of the source, for those who change it

ROOT = Path(__file__).parents[1]
MOST_FILES, MOST_LINES = 18, 1_200


def stops() -> list[tuple[str, list[str]]]:
    """(file, definitions to read) of every stop; no definitions: the whole file."""
    text = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
    found = re.findall(r"^## \d+\. (\S+)\n\nRead: (.*)$", text, re.MULTILINE)
    return [(file, re.findall(r"`([\w.]+)`", reading)) for file, reading in found]


def lines_of(file: str, definitions: list[str]) -> int:
    """Lines of the definitions, or of the whole file; raises LookupError for one that is not there."""
    source = (ROOT / file).read_text(encoding="utf-8")
    if not definitions:
        return len(source.splitlines())
    return sum(length(ast.parse(source), name.split("."), f"{file}: {name}") for name in definitions)


def length(tree: ast.AST, path: list[str], name: str) -> int:
    """Lines of the definition at this path of names."""
    for part in path:
        inside = [node for node in getattr(tree, "body", ()) if getattr(node, "name", None) == part]
        if not inside:
            raise LookupError(f"there is no {name}")
        tree = inside[-1]
    assert isinstance(tree, (ast.FunctionDef, ast.ClassDef))
    return (tree.end_lineno or 0) - tree.lineno + 1


def test_each_file_is_visited_once_and_the_way_is_short():
    visited = [file for file, _ in stops()]
    assert len(visited) == len(set(visited)) <= MOST_FILES
    assert sum(lines_of(*stop) for stop in stops()) <= MOST_LINES
    numbers = re.findall(
        r"^## (\d+)\. ", (ROOT / "docs" / "tour.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [int(number) for number in numbers] == list(range(1, len(visited) + 1)) and len(visited) > 10


def test_every_path_on_the_page_exists():
    text = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"\b(?:rl|nnlite|ext)/[\w/]+\.(?:py|pyx)\b", text))
    assert len(paths) >= MOST_FILES and not [path for path in paths if not (ROOT / path).is_file()]
