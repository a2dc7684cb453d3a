"""The gather of frame stacks from a ring, against its NumPy twin."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from nnlite_ext import _replay

from nnlite.reference import replay as reference
from tests.examples import examples


@examples(60)
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
    kinds, actions, rewards = (np.ones((games, length), dtype) for dtype in (np.uint8, np.int64, np.float32))
    arrays = frames, kinds, ages.reshape(games, length), actions, rewards
    counts = np.full(games, length), np.zeros(games, np.int64)
    _replay.Rings((games, size), "uint8", *arrays, *counts, depth).gather(slots, out)
    for b, slot in enumerate(slots):
        start = slot - slot % length  # the twin knows one ring; each game has its own
        ring = slice(start, start + length)
        twin = reference.gather(frames[ring], np.array([slot - start]), ages[ring], depth)
        np.testing.assert_array_equal(out[b], twin[0])
