"""Progress and summary where standard output is a terminal, can only write, or does not exist."""

import io
import sys

import numpy as np
import pytest

from nnlite import Sequential
from nnlite.layers import Dense


class Writer:
    """An object that can only write."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self):
        return True


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


def train_and_describe(verbose=1):
    model = Sequential([Dense(1)], seed=0).build((3,))
    model.compile("sgd", "mse")
    model.summary()
    return model.fit(np.ones((4, 3)), np.ones((4, 1)), batch_size=1, epochs=2, verbose=verbose)


@pytest.mark.parametrize("verbose", [0, 1, 2])
@pytest.mark.parametrize("make", [lambda: None, closed, Writer, Terminal, io.StringIO])
def test_training_needs_no_stream(make, verbose, monkeypatch):
    expected = train_and_describe(verbose=0).history
    monkeypatch.setattr(sys, "stdout", make())
    assert train_and_describe(verbose).history == expected


def test_an_object_that_can_only_write_receives_every_line(monkeypatch):
    out = Writer()
    monkeypatch.setattr(sys, "stdout", out)
    train_and_describe()
    assert out.text.startswith('Model: "sequential') and "Epoch 2/2\n4/4 [=" in out.text


def test_the_bar_moves_on_a_terminal_only(monkeypatch):
    for make, moves in ((Terminal, True), (io.StringIO, False), (Writer, False)):
        monkeypatch.setattr(sys, "stdout", out := make())
        train_and_describe()
        assert ("\r" in (out.text if make is Writer else out.getvalue())) == moves
