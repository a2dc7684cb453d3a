"""The cross-entropy from logits: equal to its NumPy twin, never finite where a logit is not."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nnlite_ext import _crossentropy

from nnlite.reference import crossentropy as reference
from tests.ext.cases import SEEDS, TYPES
from tests.ext.otherwise import hands_on, refuse


@given(SEEDS, st.integers(1, 50), st.integers(1, 9), TYPES, st.sampled_from([1.0, 30.0, 3e3]), st.booleans())
def test_crossentropy_is_its_twin(seed, n, k, dtype, spread, one_hot):
    rng = np.random.default_rng(seed)
    logits = (spread * rng.standard_normal((n, k))).astype(dtype)
    target = (np.eye(k)[rng.integers(k, size=n)] if one_hot else rng.random((n, k))).astype(dtype)
    value, dz = _crossentropy.crossentropy(logits, target, refuse)
    expected, gradient = reference.crossentropy(logits.astype(np.float64), target)
    assert value == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert dz.dtype == dtype
    np.testing.assert_allclose(dz, gradient, rtol=1e-4, atol=1e-6)


def test_crossentropy_is_not_finite_where_a_logit_is_not():
    target = np.eye(3)
    for bad in (math.nan, math.inf, -math.inf):
        for at in range(3):
            logits = np.zeros((3, 3))
            logits[at, at] = bad
            assert not math.isfinite(_crossentropy.crossentropy(logits, target, refuse)[0])


def test_crossentropy_hands_on_what_does_not_fit():
    for logits, target in (((4, 3), (4, 2)), ((4, 3), (3, 3)), ((0, 3), (0, 3))):
        assert hands_on(_crossentropy.crossentropy, np.zeros(logits), np.zeros(target))
