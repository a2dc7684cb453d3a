"""The gather and the frame push against their NumPy twins."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from nnlite_ext import _frames, _replay

from nnlite.reference import frames as frames_twin
from nnlite.reference import replay


@settings(deadline=None, max_examples=60)
@given(
    games=st.integers(1, 3),
    length=st.integers(6, 20),
    size=st.integers(1, 9),
    depth=st.integers(1, 6),
    seed=st.integers(0, 2**32 - 1),
)
def test_gather_equals_its_twin(games, length, size, depth, seed):
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256, (games * length, size), dtype=np.uint8)
    ages = rng.integers(0, depth, games * length).astype(np.uint8)
    slots = rng.integers(0, games * length, 11)
    out = np.zeros((11, size, depth), np.uint8)
    numbers = np.zeros((games, length), np.int64)
    rings = _replay.Rings(
        (games, size),
        "uint8",
        frames,
        np.ones((games, length), np.uint8),
        ages.reshape(games, length),
        numbers,
        np.zeros((games, length), np.float32),
        np.full(games, length),
        np.zeros(games, np.int64),
        depth,
    )
    rings.gather(slots, out)
    for b, slot in enumerate(slots):
        start = slot - slot % length  # the twin knows one ring; each game has its own
        ring = slice(start, start + length)
        twin = replay.stack_gather(frames[ring], np.array([slot - start]), ages[ring], depth)
        np.testing.assert_array_equal(out[b], twin[0])


@settings(deadline=None, max_examples=60)
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
    expected = frames_twin.push_frames(screens, rows, columns, fresh, stack)
    _frames.push(screens, rows, columns, fresh, stack)
    np.testing.assert_array_equal(stack, expected)


def test_luminance_is_that_of_the_game():
    screens = np.array([[[[255, 120, 120], [255, 255, 255], [0, 0, 0]]]], np.uint8)
    stack = np.zeros((1, 1, 3, 1), np.uint8)
    _frames.push(screens, np.zeros(1, np.intp), np.arange(3), np.zeros(1, np.uint8), stack)
    assert stack[0, 0, :, 0].tolist() == [160, 255, 0]  # fruit, paddle, sky
