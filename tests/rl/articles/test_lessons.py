"""Lessons that are packages: reading one imports neither its command nor anything heavy."""

import pathlib
import subprocess
import sys

import pytest

import rl
from rl.articles import ARTICLES

PACKAGES = [article.module for article in ARTICLES if article.command != f"rl.{article.module}"]
HEAVY = {"rl.command.cli", "rl.runs", "numba", "matplotlib", "pygame", "sklearn"}


@pytest.mark.parametrize("module", PACKAGES)
def test_a_lesson_imports_no_command_and_nothing_heavy(module):
    unwanted = HEAVY | {f"rl.{module}.command", f"rl.{module}.report", f"rl.{module}.plots"}
    code = f"import sys, rl.{module}; sys.exit(str(sorted({unwanted} & set(sys.modules)) or ''))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=pathlib.Path(rl.__file__).parents[1], capture_output=True, text=True
    )
    assert done.stderr.strip() == ""


def test_there_are_four_of_them():
    assert PACKAGES == ["housing", "digits", "bandit", "maze"]
