"""Both READMEs: every command in them is one that works, every file exists, and the two say the same."""

import contextlib
import importlib
import io
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.ja.md")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"python3? -m ([\w.]+)((?: +[^`&|;\n]+)?)")
PLACEHOLDER = "—"


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name):
    """(language, content) of every fenced block."""
    return FENCE.findall(text(name))


def prose(name):
    return FENCE.sub("", text(name))


def without_comments(name):
    return re.sub(r"<!--.*?-->", "", text(name), flags=re.DOTALL)


def commands(name):
    """(module, words) of every `python -m` in blocks and in prose."""
    return sorted(
        {(module, tuple(shlex.split(rest))) for module, rest in COMMAND.findall(without_comments(name))}
    )


@cache
def help_of(*words):
    done = subprocess.run(
        [sys.executable, "-m", *words, "--help"], capture_output=True, encoding="utf-8", cwd=ROOT, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def headings(name):
    return [len(marks) for marks in re.findall(r"^(#+) ", prose(name), re.MULTILINE)]


@pytest.mark.parametrize("readme", READMES)
def test_every_command_names_a_module_and_flags_that_exist(readme):
    found = commands(readme)
    assert len(found) > 25
    for module, words in found:
        if module in ("venv", "pytest", "bench", "webbrowser", "sphinx"):
            continue
        tool = words[:1] if module == "rl" and words and not words[0].startswith("-") else ()
        shown = help_of(module, *tool)
        for word in words:
            if word.startswith("--"):
                assert re.search(rf"{re.escape(word)}\b", shown), (
                    f"python -m {module} {' '.join(words)}: there is no {word}"
                )


@pytest.mark.parametrize("readme", READMES)
def test_flags_that_stand_alone_exist_somewhere(readme):
    shown = "".join(
        help_of(f"rl.{module}") for module in ("dqn", "housing", "digits", "bandit", "maze")
    ) + help_of("rl", "sweep")
    flags = re.findall(r"`(--[\w-]+)", without_comments(readme))
    assert len(flags) > 10 and not [name for name in flags if not re.search(rf"{name}\b", shown)]


@pytest.mark.parametrize("readme", READMES)
def test_the_articles_commands_are_understood(readme):
    """Values too: each command's flags go through the article's own parser and checks."""
    from rl.articles import ARTICLES
    from rl.command.cli import parse

    articles = {f"rl.{article.module}" for article in ARTICLES}
    seen = set()
    for module, words in commands(readme):
        if module not in articles:
            continue
        seen.add(module)
        if any(word in ("...", "$seed", "module:ID", "FILE") for word in words) or "--resume" in words:
            continue
        article = importlib.import_module(module)
        presets = {"test": article.TEST} if hasattr(article, "TEST") else {}
        with contextlib.redirect_stdout(io.StringIO()):
            parse(article.Settings, list(words), module, "", (), presets).validate()
    assert seen == articles


@pytest.mark.parametrize("readme", READMES)
def test_the_blocks_of_python_run(readme, tmp_path):
    code = "\n".join(content for language, content in blocks(readme) if language == "python")
    assert code.count("import") >= 3
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", cwd=tmp_path, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "Epoch 20/20" in done.stdout and "Total params" in done.stdout


def test_the_network_of_the_example_learns_what_it_is_for():
    (content,) = [content for language, content in blocks("README.md") if "product" in content]
    space = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(content.partition("model.save(")[0], space)
    assert space["model"].evaluate(space["x"], space["y"], verbose=0)[1] > 0.9


@pytest.mark.parametrize("readme", READMES)
def test_extras_that_are_installed_exist(readme):
    extras = re.findall(
        r"^(\w+) = \[",
        text("pyproject.toml").partition("[project.optional-dependencies]")[2].partition("\n[")[0],
        re.MULTILINE,
    )
    wanted = re.findall(r"pip install '\.\[(\w+)\]'", text(readme))
    assert wanted and set(wanted) <= set(extras)


@pytest.mark.parametrize("readme", READMES)
def test_files_and_links_exist(readme):
    links = re.findall(r"\]\(([^)]+)\)", prose(readme))
    anchors = {
        re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", prose(readme), re.MULTILINE)
    }
    for link in links:
        assert link[1:] in anchors if link.startswith("#") else (ROOT / link).is_file(), link
    for path in re.findall(
        r"`((?:docs|nnlite|ext|bench|rl|notebooks)/[\w./]*|LICENSE|CITATION.cff)`", prose(readme)
    ):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("readme", READMES)
def test_lines_that_replace_old_ones_work(readme):
    """The imports of the table's last column can be imported, and its Python is Python."""
    section = prose(readme).split("\n## ")[3]
    rows = [row.split(" | ") for row in section.splitlines() if row.startswith("| `")]
    assert len(rows) >= 20 and all(len(row) == 3 for row in rows)
    for row in rows:
        for line in re.findall(r"`([^`]+)`", row[2]):
            compile(line, "table", "exec")
            if re.match(r"(import|from) ", line):
                exec(line, {})


def test_both_are_built_alike():
    english, japanese = READMES
    assert headings(english) == headings(japanese)
    assert blocks(english) == blocks(japanese)
    assert re.findall(r"<!-- .*? -->", text(english), re.DOTALL) == re.findall(
        r"<!-- .*? -->", text(japanese), re.DOTALL
    )
    for marker in (r"^\| ", r"^- ", r"!\["):
        assert len(re.findall(marker, prose(english), re.MULTILINE)) == len(
            re.findall(marker, prose(japanese), re.MULTILINE)
        ), marker
    assert commands(english) == commands(japanese)
    assert text(english).count(PLACEHOLDER) == text(japanese).count(PLACEHOLDER)


def test_the_two_main_commands_can_be_found_by_their_markers():
    for marker in ("main job", "tests"):
        (command,) = re.findall(rf"<!-- {marker} -->\n```\n(python3 [^\n]+)\n```", text("README.md"))
        assert command.startswith("python3 -m venv .venv && . .venv/bin/activate && pip install ")


def test_the_books_are_cited_alike():
    cited = re.findall(r"family-names: (\S+)\n +given-names: (\S+)", text("CITATION.cff"))
    for readme in READMES:
        assert all(family + given in text(readme) for family, given in cited[:2])
    assert f"version: {re.search(r'^version = .(.+).$', text('pyproject.toml'), re.MULTILINE)[1]}" in text(
        "CITATION.cff"
    )
