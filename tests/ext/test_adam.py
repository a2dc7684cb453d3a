"""Adam and the sum of squares: equal to their NumPy twins on every target; NaN and Inf never go unseen."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nnlite_ext import _adam

from nnlite.reference import adam as reference
from tests.examples import examples
from tests.ext.cases import MACHINES, SEEDS, TYPES, choose

SIZES = st.one_of(st.integers(0, 300), st.sampled_from([16383, 16384, 40000, 200001]))
USUAL = (0.9, 0.999, 1e-7)  # beta_1, beta_2, epsilon


def arrays(seed, size, dtype):
    """params, grads, m, v."""
    rng = np.random.default_rng(seed)
    params, grads, m, v = rng.standard_normal((4, size)).astype(dtype)
    return params, grads, m, np.square(v)


CLIPS = st.tuples(*(st.sampled_from([0.0, most]) for most in (0.3, 1.5, 0.8)))  # value, norm, variables


@given(SEEDS, SIZES, TYPES, MACHINES, CLIPS, st.floats(0, 1))
def test_adam_is_its_twin(seed, size, dtype, machine, clips, cut):
    choose(*machine)
    ours, twins = arrays(seed, size, dtype), arrays(seed, size, dtype)
    edges = np.array([0, int(cut * size / 2), int(cut * size), int(cut * size), size])
    bound = _adam.BoundAdam(*ours, edges)
    for t in (1, 2, 3):
        assert bound.step(1e-2, *USUAL, *clips, t)
        assert reference.checked_adam_step(*twins, 1e-2, *USUAL, *clips, edges, t)
    for a, b in zip(ours, twins, strict=True):
        bound = 16 * np.finfo(dtype).eps * max(np.abs(b).max(initial=0), 1)
        np.testing.assert_allclose(a, b, rtol=0, atol=bound)


def test_first_step_has_the_length_of_the_learning_rate():
    """With m = v = 0 the first step is lr * sign(g), whatever the gradient: the paper's own check."""
    params, grads = np.zeros(3), np.array([5.0, -0.1, 200.0])
    bound = _adam.BoundAdam(params, grads, np.zeros(3), np.zeros(3), np.array([0, 3]))
    bound.step(0.01, 0.9, 0.999, 1e-12, 0, 0, 0, 1)
    np.testing.assert_allclose(params, -0.01 * np.sign(grads), rtol=1e-8)


@given(SEEDS, SIZES, TYPES, MACHINES)
def test_sum_of_squares_is_its_twin(seed, size, dtype, machine):
    choose(*machine)
    x = arrays(seed, size, dtype)[1]
    np.testing.assert_allclose(_adam.sum_of_squares(x), reference.sum_of_squares(x), rtol=1e-12)


@given(SEEDS, TYPES, MACHINES, st.sampled_from([np.nan, np.inf, -np.inf]))
def test_one_bad_number_is_seen(seed, dtype, machine, bad):
    choose(*machine)
    x = arrays(seed, 40000, dtype)[0]
    x[seed % x.size] = bad
    assert not np.isfinite(_adam.sum_of_squares(x))


def test_large_float32_numbers_do_not_overflow():
    assert np.isfinite(_adam.sum_of_squares(np.full(1000, 3e38, np.float32)))


@examples(20)
@given(SEEDS, TYPES, MACHINES)
def test_threads_do_not_change_a_bit(seed, dtype, machine):
    results = []
    for threads in (1, 2, 3):
        choose(machine[0], threads)
        ours = arrays(seed, 200001, dtype)
        _adam.BoundAdam(*ours, np.array([0, 50000, 200001])).step(1e-3, *USUAL, 0.5, 30, 20, 1)
        results.append((*ours, np.array(_adam.sum_of_squares(ours[0]))))
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", [0, 31, 36])
def test_bound_adam_changes_nothing_when_the_gradient_is_not_finite(bad, place):
    params, grads, m, v = (np.full(37, number) for number in (1.0, 2.0, 3.0, 4.0))
    grads[place] = bad
    assert not _adam.BoundAdam(params, grads, m, v, np.array([0, 37])).step(0.1, *USUAL, 0, 0, 0, 1)
    assert (params == 1).all() and (m == 3).all() and (v == 4).all()


@pytest.mark.usefixtures("each_target")
def test_moments_of_dead_weights_never_enter_the_slow_range_and_the_number_mode_is_put_back():
    smallest = np.finfo(np.float32).tiny
    params, grads, m, v = (np.full(70, number, np.float32) for number in (0, 0, 1, 1))
    bound = _adam.BoundAdam(params, grads, m, v, np.array([0, params.size]))
    for t in range(1, 1200):
        bound.step(1e-3, *USUAL, 0, 0, 0, t)
    assert ((m == 0) | (m >= smallest)).all() and (m < 10 * smallest).all() and (v > 0.1).all()
    assert np.float32(1e-30) * np.float32(1e-10) > 0  # below the normal range, and still a number here


def test_bound_adam_refuses_arrays_that_are_not_alike():
    good = np.zeros(4)
    for wrong in (np.zeros(5), np.zeros(4, np.float32), np.zeros((4, 1)), np.zeros(8)[::2]):
        with pytest.raises(ValueError):
            _adam.BoundAdam(good, wrong, good, good, np.array([0, 4]))
    with pytest.raises(ValueError):
        _adam.BoundAdam(*(np.zeros(4, np.int64),) * 4, np.array([0, 4]))
    for edges in ([], [4], [0, 5], [-1, 4], [1, 4], [0, 3, 2, 4]):
        with pytest.raises(ValueError, match="edges"):
            _adam.BoundAdam(*(np.zeros(4) for _ in range(4)), np.array(edges, np.int64))
