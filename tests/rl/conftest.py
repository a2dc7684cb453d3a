"""Fixtures of the articles' tests."""

import pytest

from rl.training import train as training


@pytest.fixture
def no_pictures(monkeypatch):
    """Runs end without plots and animations."""
    monkeypatch.setattr(training, "draw", lambda *_: None)
