"""How much the quick tests try: a third of hypothesis's examples, the first cases of long tables.

The thorough tests try all of them.
"""

import pytest
from hypothesis import settings


def examples(number: int) -> settings:
    """Decorate a test: `number` examples where the thorough tests run; see tests/conftest.py."""
    percent = settings().max_examples  # of the profile
    return settings(max_examples=max(1, number * percent // 100))


def first(number: int, cases) -> list:
    """Give the cases of a parametrized test, all but the first `number` of them marked as thorough."""
    cases = list(cases)
    later = [case if isinstance(case, (tuple, list)) else (case,) for case in cases[number:]]
    return cases[:number] + [pytest.param(*case, marks=pytest.mark.thorough) for case in later]
