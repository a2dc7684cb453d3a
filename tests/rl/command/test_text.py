"""Lines fit the terminal; a terminal without Japanese gets English."""

import io
import sys

import pytest

from rl import __main__ as rl_main
from rl.command.text import SPELLING, fit, format_duration, width_of, wrap, writable


def test_a_japanese_character_takes_two_columns():
    assert width_of("記事 1") == 6 and width_of("ε-greedy") == 8


def test_lines_are_broken_at_spaces_and_indented():
    assert wrap("one two three", 12, 4) == "one two\n    three"
    assert wrap("ニュー ラル x", 14, 2) == "ニュー ラル\n  x"
    assert wrap("a-word-that-is-too-long", 5) == "a-word-that-is-too-long"


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_list_fits_the_terminal(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = rl_main.make_list().splitlines()
    assert max(map(width_of, lines[3:])) <= columns
    assert all(
        line[:2] == "  " and (line[2] != " ") == (line[2:8] == "python") for line in lines[2:22] if line
    )


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize("lines, detailed", [(24, False), (39, False), (40, True)])
def test_the_list_fits_a_low_terminal(monkeypatch, lines, detailed):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", str(lines))
    monkeypatch.setattr(sys, "stdout", Terminal())
    text = rl_main.make_list()
    assert text.count("python -m rl.") == 10 and ("expect: " in text) == detailed
    assert detailed or len(text.splitlines()) < 24
    assert max(map(width_of, text.splitlines())) <= 80


def test_a_long_line_is_broken_on_a_terminal_only(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    line = "rl.dqn on CartPole-v0, seed 0; folder runs/dqn__CartPole-v0__0__20261127"
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert fit(line) == line
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert fit(line).split() == line.split() and max(map(len, fit(line).splitlines())) <= 40


@pytest.mark.parametrize(
    "encoding, said",
    [
        ("ascii", "neural networks 1, epsilon-greedy"),
        ("cp932", "ニューラルネットワーク 1, ε-greedy"),
        ("cp1252", "neural networks 1, epsilon-greedy"),
        ("utf-8", "ニューラルネットワーク 1, ε-greedy"),
    ],
)
def test_an_encoding_without_japanese_or_greek(encoding, said):
    written = "ニューラルネットワーク 1, ε-greedy".encode(encoding, SPELLING)
    assert written.decode(encoding) == said


@pytest.mark.parametrize(
    "text, said",
    [("3 → 8", "3 -> 8"), ("1 ± 2", "1 +/- 2"), ("3×3", "3x3"), ("a–b", "a-b"), ("記事 ?", "?? ?")],
)
def test_signs_are_spelled_in_ascii(text, said):
    assert text.encode("ascii", SPELLING).decode() == said


def test_only_what_is_lacking_is_spelled():
    assert "é ε é".encode("latin-1", SPELLING).decode("latin-1") == "é epsilon é"
    assert b"a\xffb".decode("utf-8", SPELLING) == "a\ufffdb"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3.21, "3.2 s"), (48.4, "48 s"), (59.7, "1 min 0 s"), (125, "2 min 5 s"), (7260, "2 h 1 min")],
)
def test_durations(seconds, text):
    assert format_duration(seconds) == text


def test_columns_stay_in_line_where_letters_are_spelled(monkeypatch):
    for encoding, said in (("ascii", "epsilon-greedy "), ("utf-8", "ε-greedy       ")):
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
        assert f"{writable('ε-greedy'):15}" == said
    monkeypatch.setattr(sys, "stdout", None)
    assert writable("ε") == "ε"
