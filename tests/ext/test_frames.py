"""The push of a screen onto a stack of frames, against its NumPy twin."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from nnlite_ext import _frames

from nnlite.reference import frames as reference
from tests.examples import examples


@examples(60)
@given(
    n=st.integers(1, 3),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    channels=st.sampled_from([1, 3]),
    wanted=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    depth=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_push_equals_its_twin(n, shape, channels, wanted, depth, seed):
    rng = np.random.default_rng(seed)
    screens = rng.integers(0, 256, (n, *shape, channels), dtype=np.uint8)
    rows, columns = rng.integers(0, shape[0], wanted[0]), rng.integers(0, shape[1], wanted[1])
    fresh = rng.integers(0, 2, n).astype(np.uint8)
    stack = rng.integers(0, 256, (n, *wanted, depth), dtype=np.uint8)
    expected = reference.push(screens, rows, columns, fresh, stack)
    _frames.push(screens, rows, columns, fresh, stack)
    np.testing.assert_array_equal(stack, expected)


def test_luminance_is_that_of_the_game():
    screens = np.array([[[[255, 120, 120], [255, 255, 255], [0, 0, 0]]]], np.uint8)
    stack = np.zeros((1, 1, 3, 1), np.uint8)
    _frames.push(screens, np.zeros(1, np.intp), np.arange(3), np.zeros(1, np.uint8), stack)
    assert stack[0, 0, :, 0].tolist() == [160, 255, 0]  # fruit, paddle, sky
