"""The page of --help: its groups, both flags of a switch, lists with commas, the version."""

import dataclasses
import importlib
import re
from dataclasses import dataclass

import pytest

import nnlite
import rl
from rl import __main__ as listing
from rl import dqn
from rl.articles import COMMANDS
from rl.command import cli
from rl.command.help import docstrings_of, make_help
from rl.command.settings import GROUPS, OTHERS, RunName, Settings, format_flag
from tests.processes import run_python
from tests.rl.helpers import two_lines
from tests.tables import rows


def page_of(name, capsys, *words):
    assert listing.main([name, *words, "--help"]) == 0
    return capsys.readouterr().out


def section(page, title):
    return page.split(f"\n{title}\n")[1].split("\n\n")[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_setting_of_an_article_is_below_a_title(name, capsys):
    page, settings = page_of(name, capsys), importlib.import_module(f"rl.{name}").Settings
    for field in dataclasses.fields(settings):
        pattern = rf"^  {format_flag(field.name)}[ ,].*\n?"
        assert len(re.findall(pattern, page, re.MULTILINE)) == 1, field.name
        assert docstrings_of(settings)[field.name].split()[0] in page
    titles = re.findall(r"\n\n([A-Z][a-z ]+)\n  -", page)
    assert titles == [title for title in GROUPS if title in titles] and titles[-1] == "This run"


@pytest.mark.parametrize("name", [name for name in listing.TOOLS if name != "doctor"])
def test_a_tool_has_its_options_and_arguments(name, capsys):
    page = page_of(name, capsys)
    assert "Examples:" in page and "  -h, --help  " in page and "--version" in page
    assert ("\nOptions\n" in page) or name == "export"


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_page_fits_the_terminal(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    page = page_of("dqn", capsys)
    below = page[page.index("What to learn") :]
    assert max(map(len, below.splitlines())) <= columns
    assert not re.search(r"\(default:\n", page), "a default stands on one line"


def test_titles_hold_what_they_say(capsys):
    page = page_of("dqn", capsys)
    assert "--env-id STR" in section(page, "What to learn")
    assert "--gamma FLOAT" in section(page, OTHERS) and "--n-step INT" in section(page, OTHERS)
    assert "--save-freq INT" in section(page, "When to judge and to save")
    assert "--play [RUN]" in section(page, "This run") and "--actors INT" in section(page, "Ray")


def test_defaults_are_those_of_the_command(capsys):
    assert "parallel games (default: 8)" in page_of("dqn", capsys)
    assert "parallel games (default: 1)" in page_of("dqn", capsys, "--test")


def test_no_title_names_a_setting_that_does_not_exist():
    modules = [importlib.import_module(f"rl.{name}").Settings for name in COMMANDS]
    known = {field.name for one in modules for field in dataclasses.fields(one)}
    named = [name for names in GROUPS.values() for name in names]
    assert set(named) <= known and len(named) == len(set(named))


@dataclass(frozen=True)
class Many(Settings):
    """Settings of every type."""

    switch: bool = True
    """turns something on"""
    sizes: tuple[int, ...] = (8, 8)
    """numbers"""
    names: tuple[str, ...] = ()
    """words"""
    which: RunName = RunName("")
    """a run"""
    limit: float | None = None
    """a number, or none"""


def test_every_type_has_its_word():
    page = make_help("prog", "What it does.", ("prog --sizes 8",), Many(), 80)
    expected = rows("""
        --switch, --no-switch    turns something on (default: True)
        --sizes INT ...          numbers (default: 8 8)
        --names STR ...          words
        --which [RUN]            a run
        --limit FLOAT            a number, or none
    """)
    lines = [re.split(r" {2,}", line.strip()) for line in page.splitlines()]
    assert all(line in lines for line in expected)


def parse(*words):
    return cli.parse(Many, "prog", "A test.", argv=[*words])


@pytest.mark.parametrize(
    "words, name, value",
    [
        ("--sizes 64,32", "sizes", (64, 32)),
        ("--sizes 64, 32", "sizes", (64, 32)),
        ("--sizes=64,32", "sizes", (64, 32)),
        ("--sizes 64 32", "sizes", (64, 32)),
        ("--names B,LSTAT --seed 3", "names", ("B", "LSTAT")),
        ("--out a,b", "out", "a,b"),
        ("--switch", "switch", True),
        ("--no-switch", "switch", False),
    ],
)
def test_lists_take_commas_and_switches_both_flags(words, name, value):
    assert getattr(parse(*words.split()), name) == value


def test_a_list_of_something_else_is_answered(capsys):
    assert listing.main(["dqn", "--hidden", "64,x"]) == 2
    assert "--hidden" in two_lines(capsys)[0]


def test_a_word_without_a_flag_is_not_offered_as_one(capsys):
    assert listing.main(["export", "--run", "x"]) == 2
    assert "did you mean" not in " ".join(two_lines(capsys))


VERSIONS = [[], ["doctor"], ["sweep"], ["dqn"], ["bandit"], ["maze", "--seed", "3"]]


@pytest.mark.parametrize("words", VERSIONS)
def test_every_command_has_a_version(words, capsys):
    assert listing.main([*words, "--version"]) == 0
    assert capsys.readouterr().out == f"nnlite-rl {rl.__version__}\n" and rl.__version__ == nnlite.__version__


def test_an_article_has_a_version(capsys):
    assert dqn.main(["--version"]) == 0
    assert capsys.readouterr().out == f"nnlite-rl {rl.__version__}\n"


def test_help_does_not_need_docstrings():
    done = run_python("-OO", "-m", "rl.dqn", "--help")
    assert "steps that the replay stores (default: 50000)" in done.stdout
