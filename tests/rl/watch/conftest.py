"""A process that looks like a notebook."""

import sys
import types

import pytest


@pytest.fixture
def notebook(monkeypatch):
    """A process that looks like a notebook's kernel; gives what it was asked to show."""
    shown = []
    ipython, display = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    ipython.display, ipython.get_ipython = display, lambda: "a shell"
    display.HTML, display.display = lambda text: text, shown.append
    kernel = types.ModuleType("ipykernel")
    for name, module in (("IPython", ipython), ("IPython.display", display), ("ipykernel", kernel)):
        monkeypatch.setitem(sys.modules, name, module)
    return shown
