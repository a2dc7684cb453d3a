"""Q-learning's target and loss: equal to their NumPy twins; NaN is kept; what does not fit is handed on."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nnlite_ext import _td

from nnlite.reference import td as reference
from tests.ext.otherwise import hands_on, refuse

types = st.sampled_from([np.float32, np.float64])
seeds = st.integers(0, 2**32 - 1)
rows = st.integers(1, 50)
columns = st.integers(1, 9)
close = {"rtol": 1e-5, "atol": 1e-6}


def case(seed, n, a, dtype):
    """returns, discounts, next_q, chooser, actions."""
    rng = np.random.default_rng(seed)
    returns, discounts = rng.standard_normal((2, n)).astype(dtype)
    next_q, chooser = np.round(rng.standard_normal((2, n, a)), 1).astype(dtype)  # rounded: there are ties
    return returns, discounts, next_q, chooser, rng.integers(a, size=n)


@given(seeds, rows, columns, types, st.booleans())
def test_td_target_is_its_twin(seed, n, a, dtype, double):
    returns, discounts, next_q, chooser, _ = case(seed, n, a, dtype)
    chooser = chooser if double else None
    y = _td.td_target(returns, discounts, next_q, chooser, refuse)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, reference.td_target(returns, discounts, next_q, chooser), **close)


@given(seeds, rows, columns, types, st.sampled_from([0.1, 1.0, math.inf]))
def test_td_loss_is_its_twin(seed, n, a, dtype, delta):
    targets, _, q, _, actions = case(seed, n, a, dtype)
    value, dq = _td.td_loss(q, actions, targets, delta, refuse)
    expected, gradient = reference.td_loss(q, actions, targets, delta)
    assert value == pytest.approx(expected, rel=1e-5, abs=1e-7)
    assert dq.dtype == dtype
    np.testing.assert_allclose(dq, gradient, **close)


def test_td_results_are_new_arrays():
    returns, discounts, next_q, _, actions = case(0, 4, 3, np.float32)
    kept = [_td.td_target(returns, discounts, next_q, None, refuse) for _ in range(200)]
    gradients = [_td.td_loss(next_q, actions, returns, 1.0, refuse)[1] for _ in range(200)]
    for arrays in (kept, gradients):
        arrays[0][...] = 7
        assert all((array == arrays[1]).all() for array in arrays[1:])
        assert not any(np.shares_memory(arrays[0], array) for array in arrays[1:])


def test_nan_is_not_lost():
    returns, discounts, next_q, _, actions = case(0, 4, 3, np.float64)
    next_q[2, 1] = np.nan
    y = _td.td_target(returns, discounts, next_q, None, refuse)
    assert np.isnan(y).tolist() == [False, False, True, False]
    returns[1] = np.nan
    value, dq = _td.td_loss(np.zeros((4, 3)), actions, returns, 1.0, refuse)
    assert math.isnan(value) and np.isnan(dq[1, actions[1]])


@pytest.mark.parametrize("rows", [(3, 4, 4), (4, 3, 4), (4, 4, 3), (0, 0, 0)])
def test_td_target_hands_on_what_does_not_fit(rows):
    arguments = (array[:n] for n, array in zip(rows, case(0, 4, 3, np.float32)[:3]))
    assert hands_on(_td.td_target, *arguments, None)


@pytest.mark.parametrize("dtype, wrong", [("i8", [0, 1, 2, 3]), ("i8", [0, -1, 0, 0]), ("i4", [0] * 4)])
def test_td_loss_hands_on_wrong_actions(dtype, wrong):
    returns, _, q, _, _ = case(0, 4, 3, np.float32)
    assert hands_on(_td.td_loss, q, np.array(wrong, dtype), returns, 1.0)
    assert hands_on(_td.td_loss, q, np.full(4, 2**40), returns, 1.0)
    assert hands_on(_td.td_loss, q, np.zeros(3, np.int64), returns, 1.0)
    assert hands_on(_td.td_loss, q, np.zeros(4, np.int64), returns, 0.0)
