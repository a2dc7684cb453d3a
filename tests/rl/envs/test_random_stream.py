"""Random streams of the compiled simulations: the published generator, seeds, the beta distribution."""

import math

import numpy as np
import pytest

from rl.envs.random_stream import Stream, streams_of, streams_of_seeds


def test_a_stream_is_splitmix64():
    stream = Stream(np.array([1234567], np.uint64))
    # of the generator's published code
    known = 6457827717110365317, 3203168211198807973, 9817491932198370423
    assert [stream.random() for _ in known] == [(number >> 11) * 2.0**-53 for number in known]


def test_the_first_streams_of_a_seed_do_not_depend_on_how_many_there_are():
    assert np.array_equal(streams_of(3, 10), streams_of(3, 1000)[:10])
    assert streams_of_seeds([7, 3])[1] == streams_of(3, 1)[0]
    assert len(np.unique(streams_of_seeds(range(1000)))) == 1000


def test_beta_numbers_have_the_moments_of_the_beta_distribution():
    stream = Stream(streams_of(0, 1))
    for a, b in ((1, 1), (3, 1), (8, 5), (2, 200)):
        drawn = np.array([stream.beta(a, b) for _ in range(20_000)])
        variance = a * b / ((a + b) ** 2 * (a + b + 1))
        assert abs(drawn.mean() - a / (a + b)) < 5 * math.sqrt(variance / len(drawn))
        assert drawn.var() == pytest.approx(variance, rel=0.08)
