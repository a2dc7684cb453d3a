"""How many examples hypothesis draws: the whole in the thorough tests, a third in the quick ones."""

from hypothesis import settings


def examples(number: int) -> settings:
    """Decorate a test: `number` examples where the thorough tests run; see tests/conftest.py."""
    percent = settings().max_examples  # of the profile
    return settings(max_examples=max(1, number * percent // 100))
