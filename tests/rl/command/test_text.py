"""Lines fit the terminal; a terminal without Japanese gets English."""

import io
import sys

import pytest

from rl import __main__ as rl_main
from rl.command.text import format_duration, make_writable, width_of, wrap


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


@pytest.mark.parametrize(
    "encoding, said",
    [("ascii", "neural networks 1"), ("cp932", "ニューラルネットワーク 1"), ("cp1252", "neural networks 1")],
)
def test_an_encoding_without_japanese(monkeypatch, encoding, said):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="replace"))
    assert make_writable("ニューラルネットワーク 1") == said


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3.21, "3.2 s"), (48.4, "48 s"), (59.7, "1 min 0 s"), (125, "2 min 5 s"), (7260, "2 h 1 min")],
)
def test_durations(seconds, text):
    assert format_duration(seconds) == text
