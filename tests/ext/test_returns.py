"""Discounted returns and generalized advantages, against their NumPy twins."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from nnlite_ext import _returns

from nnlite.reference import returns as reference
from tests.ext.otherwise import hands_on, refuse


@given(
    seed=st.integers(0, 2**32 - 1),
    steps=st.integers(1, 12),
    games=st.integers(1, 4),
    gamma=st.floats(0, 1),
    lam=st.floats(0, 1),
)
def test_the_sums_are_their_twins(seed, steps, games, gamma, lam):
    rng = np.random.default_rng(seed)
    rewards, values, next_values = rng.standard_normal((3, steps, games)).astype(np.float32)
    terminated = rng.random((steps, games)) < 0.2
    done = terminated | (rng.random((steps, games)) < 0.2)
    for name, *arguments in (
        ("discounted_returns", rewards, terminated, done, next_values, gamma),
        ("generalized_advantages", rewards, values, next_values, terminated, done, gamma, lam),
    ):
        ours = getattr(_returns, name)(*arguments, refuse)
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, getattr(reference, name)(*arguments), atol=2e-5)


def test_what_does_not_fit_is_handed_on():
    floats, flags = np.zeros((3, 2), np.float32), np.zeros((3, 2), bool)
    for wrong in (floats.astype(np.float64), floats[:2], floats[:0]):
        assert hands_on(_returns.discounted_returns, floats, flags, flags, wrong, 0.9)
        assert hands_on(_returns.generalized_advantages, floats, floats, wrong, flags, flags, 0.9, 0.8)
