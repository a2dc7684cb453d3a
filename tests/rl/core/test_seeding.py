"""The generators of a run: one for each purpose, all from one seed."""

import numpy as np
import pytest

from rl.core.seeding import streams

GENERATORS = ("network", "exploration", "replay")


def first_numbers(*arguments):
    """The first number of every generator, and the two seeds."""
    made = streams(*arguments)
    return [getattr(made, name).random() for name in GENERATORS] + [made.environment, made.evaluation]


def test_one_seed_gives_the_same_numbers_again():
    assert first_numbers(7) == first_numbers(7)


@pytest.mark.parametrize("others", [[(7,), (8,)], [(7,), (7, (3, 0)), (7, (3, 1)), (7, (4, 0))]])
def test_no_number_serves_two_purposes_seeds_or_processes(others):
    numbers = [number for arguments in others for number in first_numbers(*arguments)]
    assert len(set(numbers)) == len(numbers)


def test_drawing_from_one_generator_leaves_the_others_alone():
    drawn, fresh = streams(7), streams(7)
    drawn.exploration.random(1000)
    np.testing.assert_array_equal(drawn.replay.random(5), fresh.replay.random(5))
    np.testing.assert_array_equal(drawn.network.random(5), fresh.network.random(5))
