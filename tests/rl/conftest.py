"""Fixtures of the articles' tests."""

import pytest

from rl.envs import window
from rl.training import train as training


@pytest.fixture
def no_pictures(monkeypatch):
    """Runs end without plots and animations."""
    monkeypatch.setattr(training, "draw", lambda *_: None)


@pytest.fixture
def no_screen(monkeypatch):
    def refuse():
        raise window.NoScreenError("no screen\n  none")

    monkeypatch.setattr(window, "require_screen", refuse)
