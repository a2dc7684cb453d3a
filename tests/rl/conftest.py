"""Fixtures of the articles' tests."""

import pytest

from rl.training import experiment


@pytest.fixture
def no_pictures(monkeypatch):
    """Runs end without plots and animations."""
    monkeypatch.setattr(experiment, "finish", lambda *_: None)
