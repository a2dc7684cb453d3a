"""The progress of a run: a bar that fits a terminal, plain lines elsewhere, nothing without a stream."""

import io
import sys

import numpy as np
import pytest

from rl.core.evaluation import Evaluation
from rl.training import progress as progresses
from rl.training.progress import Progress, beside_bar


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self):
        return True


class Writer:
    """An object that can only write."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text


def show(monkeypatch, out, columns=80):
    """Let a run of 100,000 steps say something after 4,304 of them."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", "24")
    monkeypatch.setattr(progresses, "FASTEST", 0.0)
    monkeypatch.setattr(progresses, "PLAIN_SECONDS", 0.0)
    monkeypatch.setattr(sys, "stdout", out)
    with Progress(100_000) as progress:
        progress.start(0)
        progress.started -= 10
        progress.step(4_304, [-6.57], lambda: {"rollout/exploration_rate": 0.6})
        progress.say("a line")


@pytest.mark.parametrize("columns", [40, 60, 80, 120, 200])
def test_the_bar_is_there_and_nothing_is_cut(columns, monkeypatch):
    show(monkeypatch, out := Terminal(), columns)
    shown = out.getvalue().replace("\n", "\r").split("\r")
    (line,) = {line.strip() for line in shown if "4,304" in line}
    bar = line.split("|")[1]
    assert len(line) <= columns and len(bar) >= progresses.SHORTEST_BAR - 1
    assert ("epsilon 0.600" in line) == (columns >= 120)
    assert ("at most 03:42 left" in line) == (columns >= 60), "a run stops earlier when it is solved"
    assert "a line" in shown


def test_numbers_beside_the_bar_are_left_out_from_the_end(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert beside_bar(["123456789", "123456789", "123"]) == "123456789, 123456789"
    assert beside_bar(["1" * 100, "2"]) == "1" * 100


@pytest.mark.parametrize("out", [io.StringIO, Writer])
def test_plain_lines_say_at_most(out, monkeypatch):
    show(monkeypatch, stream := out())
    text = stream.text if out is Writer else stream.getvalue()
    first, second = text.splitlines()
    assert first.startswith("step 4,304 of 100,000, 430 steps/s, at most 222 s left, mean return -6.57, ")
    assert second == "a line"


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("out", [lambda: None, closed])
def test_no_stream_is_no_error(out, monkeypatch):
    show(monkeypatch, out())


def test_an_evaluation_that_skips_games_says_why(monkeypatch):
    monkeypatch.setattr(sys, "stdout", out := io.StringIO())
    result = Evaluation(np.array([]), np.array([]), False, False, 0.0, "3 caught, 3 missed")
    Progress(10).evaluation(1_000, result, best=True, solved=False)
    assert out.getvalue() == (
        "Evaluation at step 1,000: 3 caught, 3 missed, goal out of reach, best so far\n"
    )


def test_a_fast_run_shows_the_first_twenty_lines_of_its_learning(monkeypatch):
    monkeypatch.setattr(progresses, "FASTEST", 1e9)
    monkeypatch.setattr(sys, "stdout", stream := io.StringIO())
    with Progress(100_000) as progress:
        progress.start(0)
        for episode in range(1, 401):
            progress.episode([float(episode)] * episode)
    lines = stream.getvalue().splitlines()
    assert [line.split(",")[0] for line in lines] == [f"At episode {10 * n}" for n in range(1, 21)]
    assert lines[4].endswith("reward is 50.0 (+/-0.0)")
