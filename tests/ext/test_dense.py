"""The kernels of small networks: Q-learning's target and loss, Adam bound to its arrays, and what DenseNet
refuses.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nnlite_ext import _crossentropy, _network, _td, _threads

from nnlite.gradcheck import numerical_gradient, relative_error
from nnlite.losses import log_softmax
from nnlite.reference import td as reference_dense

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


@settings(deadline=None)
@given(seeds, rows, columns, types, st.booleans())
def test_td_target_is_its_twin(seed, n, a, dtype, double):
    returns, discounts, next_q, chooser, _ = case(seed, n, a, dtype)
    chooser = chooser if double else None
    y = _td.td_target(returns, discounts, next_q, chooser)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, reference_dense.td_target(returns, discounts, next_q, chooser), **close)


@settings(deadline=None)
@given(seeds, rows, columns, types, st.sampled_from([0.1, 1.0, math.inf]))
def test_td_loss_is_its_twin(seed, n, a, dtype, delta):
    targets, _, q, _, actions = case(seed, n, a, dtype)
    value, dq = _td.td_loss(q, actions, targets, delta)
    expected, gradient = reference_dense.td_loss(q, actions, targets, delta)
    assert value == pytest.approx(expected, rel=1e-5, abs=1e-7)
    assert dq.dtype == dtype
    np.testing.assert_allclose(dq, gradient, **close)


def test_td_loss_has_its_own_gradient():
    targets, _, _, _, actions = case(3, 6, 4, np.float64)
    q = np.random.default_rng(1).standard_normal((6, 4))
    measured = numerical_gradient(lambda: _td.td_loss(q, actions, targets, 0.7)[0], q)
    assert relative_error(_td.td_loss(q, actions, targets, 0.7)[1], measured) < 1e-8


def test_td_results_are_new_arrays():
    returns, discounts, next_q, _, actions = case(0, 4, 3, np.float32)
    kept = [_td.td_target(returns, discounts, next_q) for _ in range(200)]
    gradients = [_td.td_loss(next_q, actions, returns)[1] for _ in range(200)]
    for arrays in (kept, gradients):
        arrays[0][...] = 7
        assert all((array == arrays[1]).all() for array in arrays[1:])
        assert not any(np.shares_memory(arrays[0], array) for array in arrays[1:])


def test_nan_is_not_lost():
    returns, discounts, next_q, _, actions = case(0, 4, 3, np.float64)
    next_q[2, 1] = np.nan
    assert np.isnan(_td.td_target(returns, discounts, next_q)).tolist() == [False, False, True, False]
    returns[1] = np.nan
    value, dq = _td.td_loss(np.zeros((4, 3)), actions, returns)
    assert math.isnan(value) and np.isnan(dq[1, actions[1]])


@pytest.mark.parametrize(
    "change",
    [
        lambda r, d, q, a: (r[:3], d, q, a),
        lambda r, d, q, a: (r, d[:3], q, a),
        lambda r, d, q, a: (r.astype("f8"), d, q, a),
        lambda r, d, q, a: (r, d.tolist(), q, a),
        lambda r, d, q, a: (r, d, q.T, a),
        lambda r, d, q, a: (r, d, q[:, :, None], a),
        lambda r, d, q, a: (r[:0], d[:0], q[:0], a[:0]),
    ],
)
def test_td_target_answers_none_to_what_does_not_fit(change):
    returns, discounts, next_q, _, actions = case(0, 4, 3, np.float32)
    returns, discounts, next_q, _ = change(returns, discounts, next_q, actions)
    assert _td.td_target(returns, discounts, next_q) is None


@pytest.mark.parametrize(
    "wrong",
    [
        [0, 1, 2, 3],
        [0, -1, 0, 0],
        np.zeros(4, np.int64) + 2**40,
        np.zeros(4, np.int32),
        np.zeros(3, np.int64),
    ],
)
def test_td_loss_answers_none_to_wrong_actions(wrong):
    returns, _, q, _, _ = case(0, 4, 3, np.float32)
    assert _td.td_loss(q, np.asarray(wrong), returns) is None
    assert _td.td_loss(q, np.zeros(4, np.int64), returns, 0.0) is None


CONV = (3, 1, 1, 1, 1, 1, 1, 0, 0, 3, 1, 1, 0, -1, "relu")


@settings(deadline=None)
@given(seeds, rows, columns, types, st.sampled_from([1.0, 30.0, 3000.0]), st.booleans())
def test_crossentropy_is_its_twin(seed, n, k, dtype, spread, one_hot):
    rng = np.random.default_rng(seed)
    logits = (spread * rng.standard_normal((n, k))).astype(dtype)
    target = (np.eye(k)[rng.integers(k, size=n)] if one_hot else rng.random((n, k))).astype(dtype)
    value, dz = _crossentropy.crossentropy(logits, target)
    log_p = log_softmax(logits.astype(np.float64))
    assert value == pytest.approx(-(target * log_p).sum() / n, rel=1e-5, abs=1e-6)
    assert dz.dtype == dtype
    np.testing.assert_allclose(
        dz, (np.exp(log_p) * target.sum(axis=1, keepdims=True) - target) / n, rtol=1e-4, atol=1e-6
    )


def test_crossentropy_is_not_finite_where_a_logit_is_not():
    target = np.eye(3)
    for bad in (math.nan, math.inf, -math.inf):
        for at in range(3):
            logits = np.zeros((3, 3))
            logits[at, at] = bad
            assert not math.isfinite(_crossentropy.crossentropy(logits, target)[0])


@pytest.mark.parametrize(
    "target",
    [np.ones((4, 2)), np.ones((3, 3)), np.ones((4, 3), np.float32), np.ones((3, 4)).T, [[1, 1, 1]] * 4],
)
def test_crossentropy_answers_none_to_what_does_not_fit(target):
    assert _crossentropy.crossentropy(np.zeros((4, 3)), target) is None
    assert _crossentropy.crossentropy(np.zeros((0, 3)), np.zeros((0, 3))) is None


def net(
    convs=(), layers=((3, 4, 0, 12, "relu"), (4, 2, 16, -1, "linear")), size=24, shape=(3,), dtype=np.float64
):
    return _network.DenseNet(
        np.zeros(size, dtype), np.zeros(size, dtype), list(convs), list(layers), shape, 100
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 23},  # the last kernel ends beyond params
        {"shape": (4,)},
        {"layers": [(3, 4, 0, 21, "relu")]},  # the bias does
        {"layers": [(3, 4, 0, 12, "relu"), (5, 2, 14, -1, "linear")]},
        {"layers": [(3, 4, -1, -1, "relu")]},  # a layer without weights changes no width
        {"layers": [(3, 0, 0, -1, "relu")]},
        {"layers": [(3, 4, 0, 12, "swish")]},
        {"layers": []},
        {"layers": [(3, 3, -1, -1, "relu")] * 17},
        {"convs": [(3, 1, 1, 1, 1, 1, 1, 0, 0, 3, 1, 1, 0, -1, "relu")]},  # reads (3, 1, 1), not (3,)
        {"convs": [CONV], "shape": (2, 2, 1)},  # the first dense layer reads 3 numbers
        {"convs": [(*CONV[:11], 1, 24, -1, "relu")], "shape": (3, 1, 1)},
        {"convs": [(*CONV[:11], 1, 0, 24, "relu")], "shape": (3, 1, 1)},
        {"convs": [(*CONV[:5], 0, *CONV[6:])], "shape": (3, 1, 1)},
        {"convs": [(*CONV[:7], -1, *CONV[8:])], "shape": (3, 1, 1)},
        {"convs": [(*CONV[:14], "softmax")], "shape": (3, 1, 1)},
        {"convs": [CONV] * 9, "shape": (3, 1, 1)},
    ],
)
def test_layers_that_do_not_fit_are_refused(wrong):
    net(), net(convs=[CONV], shape=(3, 1, 1))
    with pytest.raises(ValueError):
        net(**wrong)


@pytest.mark.parametrize(
    "x",
    [
        [[1.0, 2.0, 3.0]],
        np.zeros((2, 3), np.float32),
        np.zeros((2, 3), np.int64),
        np.zeros((2, 3), ">f8"),
        np.zeros((3, 2)).T,
        np.zeros((2, 6))[:, ::2],
        np.zeros((2, 4)),
        np.zeros(3),
        np.zeros((2, 3, 1)),
        np.zeros((0, 3)),
        np.zeros((101, 3)),
        np.frombuffer(bytes(49), np.uint8)[1:].view(np.float64).reshape(2, 3),  # not aligned
        None,
    ],
)
def test_inputs_that_do_not_fit_are_answered_with_none(x):
    assert net().predict(x) is None
    assert net().forward(x) is None


@pytest.mark.parametrize(
    "same",
    [
        lambda x: x,
        lambda x: x.view(type("Named", (np.ndarray,), {})),
        lambda x: memoryview(x),
        lambda x: np.array(x, np.dtype(np.float64, metadata={"unit": "m"})),
    ],
)
def test_what_holds_the_same_numbers_gives_the_same_result(same):
    dense = net()
    x = np.random.default_rng(0).standard_normal((5, 3))
    expected = dense.predict(x)
    assert (dense.predict(same(x)) == expected).all()
    assert (dense.forward(same(x)) == expected).all()
    assert dense.backward(np.ones((5, 2))) is None


def test_read_only_input_is_read_and_left_alone():
    x = np.ones((2, 3))
    x.flags.writeable = False
    assert net().predict(x).shape == (2, 2)
    assert net().forward(x).shape == (2, 2)


def test_a_target_that_is_chosen_later_counts():
    dense, before = net(), _threads.target()
    try:
        for target in _threads.targets():
            _threads.set_target(target)
            assert dense.predict(np.ones((40, 3))).shape == (40, 2)
    finally:
        _threads.set_target(before)
