"""Lessons that are packages: reading one imports neither its command nor anything heavy."""

import pytest

from rl.articles import ARTICLES
from tests.processes import run_python

PACKAGES = [article.module for article in ARTICLES if article.command != f"rl.{article.module}"]
HEAVY = {"rl.command.cli", "rl.runs", "numba", "matplotlib", "pygame", "sklearn"}


@pytest.mark.parametrize("module", PACKAGES)
def test_a_lesson_imports_no_command_and_nothing_heavy(module):
    unwanted = HEAVY | {f"rl.{module}.command", f"rl.{module}.report", f"rl.{module}.plots"}
    code = f"import sys, rl.{module}; sys.exit(str({unwanted} & set(sys.modules)).strip('set()') or 0)"
    run_python("-c", code)


def test_there_are_four_of_them():
    assert PACKAGES == ["housing", "digits", "bandit", "maze"]
