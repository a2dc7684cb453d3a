"""Adam and the sum of squares: equal to their NumPy twins on every target; NaN and Inf never go unseen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nnlite_ext import _adam, _threads

from nnlite import reference_adam

SIZES = st.one_of(st.integers(0, 300), st.sampled_from([16383, 16384, 40000, 200001]))
TYPES = st.sampled_from([np.float32, np.float64])
SEEDS = st.integers(0, 2**32 - 1)
MACHINES = st.tuples(st.sampled_from(_threads.targets()), st.integers(1, 2))


@pytest.fixture(autouse=True)
def settings_of_the_machine():
    target, threads = _threads.target(), _threads.get_num_threads()
    yield
    _threads.set_target(target)
    _threads.set_num_threads(threads)


def choose(machine):
    _threads.set_target(machine[0])
    _threads.set_num_threads(machine[1])


def arrays(seed, size, dtype):
    """params, grads (read-only), m, v."""
    rng = np.random.default_rng(seed)
    params, grads, m, v = rng.standard_normal((4, size)).astype(dtype)
    grads.flags.writeable = False
    return params, grads, m, np.square(v)


@settings(deadline=None)
@given(SEEDS, SIZES, TYPES, MACHINES, st.sampled_from([0.0, -1.0, 0.5]), st.sampled_from([1.0, 0.01]))
def test_adam_is_its_twin(seed, size, dtype, machine, clip_value, scale):
    choose(machine)
    ours = arrays(seed, size, dtype)
    twins = arrays(seed, size, dtype)
    for step in (1, 2, 3):
        lr_t = 1e-3 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        _adam.adam_step(*ours, lr_t, 0.9, 0.999, 1e-7, clip_value, scale)
        reference_adam.adam_step(*twins, lr_t, 0.9, 0.999, 1e-7, clip_value, scale)
    for a, b in zip(ours, twins, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=8 * np.finfo(dtype).eps * max(np.abs(b).max(initial=0), 1))


def test_first_step_has_the_length_of_the_learning_rate():
    """With m = v = 0 the first step is lr * sign(g), whatever the gradient: the paper's own check."""
    params, grads = np.zeros(3), np.array([5.0, -0.1, 200.0])
    lr_t = 0.01 * np.sqrt(1 - 0.999) / (1 - 0.9)
    _adam.adam_step(params, grads, np.zeros(3), np.zeros(3), lr_t, 0.9, 0.999, 1e-12, 0, 1)
    np.testing.assert_allclose(params, -0.01 * np.sign(grads), rtol=1e-8)


@settings(deadline=None)
@given(SEEDS, SIZES, TYPES, MACHINES)
def test_sum_of_squares_is_its_twin(seed, size, dtype, machine):
    choose(machine)
    x = arrays(seed, size, dtype)[1]
    np.testing.assert_allclose(_adam.sum_of_squares(x), reference_adam.sum_of_squares(x), rtol=1e-12)


@settings(deadline=None)
@given(SEEDS, TYPES, MACHINES, st.sampled_from([np.nan, np.inf, -np.inf]))
def test_one_bad_number_is_seen(seed, dtype, machine, bad):
    choose(machine)
    x = arrays(seed, 40000, dtype)[0]
    x[seed % x.size] = bad
    assert not np.isfinite(_adam.sum_of_squares(x))


def test_large_float32_numbers_do_not_overflow():
    assert np.isfinite(_adam.sum_of_squares(np.full(1000, 3e38, np.float32)))


@settings(deadline=None, max_examples=20)
@given(SEEDS, TYPES, st.sampled_from(_threads.targets()))
def test_threads_do_not_change_a_bit(seed, dtype, target):
    results = []
    for threads in (1, 2, 3):
        choose((target, threads))
        ours = arrays(seed, 200001, dtype)
        _adam.adam_step(*ours, 1e-3, 0.9, 0.999, 1e-7, 0.5, 1)
        results.append((*ours, np.array(_adam.sum_of_squares(ours[0]))))
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True))


@pytest.mark.parametrize("target", _threads.targets())
def test_clipping_keeps_nan(target):
    _threads.set_target(target)
    params = np.zeros(40)
    _adam.adam_step(params, np.full(40, np.nan), np.zeros(40), np.zeros(40), 1e-3, 0.9, 0.999, 1e-7, 1.0, 1)
    assert np.isnan(params).all()
