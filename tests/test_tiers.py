"""The tiers: what a plain `python -m pytest` leaves out, and what each `-m` brings back."""

import shlex
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough  # checks of the source, for those who change it

pytest_plugins = ["pytester"]
TESTS = """
import pytest
def test_quick(): pass
@pytest.mark.thorough
def test_thorough(): pass
@pytest.mark.slow
def test_slow(): pass
@pytest.mark.slow
@pytest.mark.thorough
def test_both(): pass
"""


@pytest.mark.parametrize(
    "words, run",
    [
        ("", "quick"),
        ("-m thorough", "thorough"),
        ("-m slow", "slow both"),
        ("-m 'thorough or not thorough'", "quick thorough"),
        ("-m 'slow or not slow'", "quick slow both"),
        ("-m 'slow or thorough'", "thorough slow both"),
        ("-k both", ""),
    ],
)
def test_a_tier_runs_only_where_it_is_named(words, run, pytester):
    conftest = Path(__file__).with_name("conftest.py").read_text(encoding="utf-8")
    pytester.makeconftest(conftest)
    pytester.makepyfile(TESTS)
    pytester.makeini("[pytest]\nmarkers =\n    thorough\n    slow\n")
    plain = ["-p", "no:xdist", "-p", "no:cacheprovider"]
    passed, skipped, failed = pytester.inline_run(*plain, *shlex.split(words)).listoutcomes()
    assert [report.nodeid.rpartition("_")[2] for report in passed] == run.split()
    assert not skipped and not failed
