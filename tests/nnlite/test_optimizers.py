"""Optimizers against the formulas in plain Python; the compiled Adam over many steps and dtypes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlite import optimizers
from tests.examples import examples


def run(optimizer, params, gradients):
    grads = np.zeros_like(params)
    optimizer.bind(params, grads)
    for gradient in gradients:
        grads[:] = gradient
        optimizer.step()
    return params


def test_sgd_by_hand():
    assert run(optimizers.SGD(0.5), np.array([1.0, 2.0]), [[1.0, -2.0]]).tolist() == [0.5, 3.0]
    assert optimizers.SGD().learning_rate == 0.01


@pytest.mark.parametrize(
    "places", [[], [(0, 2)], [(1, 4)], [(0, 3), (2, 4)], [(2, 4), (0, 2)], [(0, 2), (3, 4)], [(0, 5)]]
)
def test_variables_that_do_not_lie_one_behind_the_other_are_refused(places):
    with pytest.raises(ValueError, match="from 0 to 4"):
        optimizers.Adam().bind(np.zeros(4), np.zeros(4), [slice(*place) for place in places])


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_with_momentum(nesterov):
    p, v = 1.0, 0.0
    for g in (1.0, -0.5, 2.0):
        v = 0.9 * v - 0.1 * g
        p += 0.9 * v - 0.1 * g if nesterov else v
    ours = run(optimizers.SGD(0.1, momentum=0.9, nesterov=nesterov), np.array([1.0]), [[1.0], [-0.5], [2.0]])
    assert ours[0] == pytest.approx(p, abs=1e-15)


@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 2e-5), (np.float64, 1e-13)])
@examples(25)
@given(st.integers(1, 70), st.sampled_from([None, 0.3]), st.sampled_from([None, 0.5]), st.integers(0, 99))
def test_adam_is_its_formula(dtype, tolerance, size, clipvalue, clip, seed):
    rng = np.random.default_rng(seed)
    p, gradients = rng.standard_normal(size), rng.standard_normal((6, size))
    limits = {"clipvalue": clipvalue} if clipvalue else {"global_clipnorm": clip}
    ours = run(optimizers.Adam(0.01, **limits), p.astype(dtype), gradients.astype(dtype))
    m, v = np.zeros(size), np.zeros(size)
    for t, g in enumerate(gradients, start=1):
        if clipvalue:
            g = np.clip(g, -clipvalue, clipvalue)
        elif clip:
            g = g * min(1.0, clip / math.sqrt(np.sum(g * g)))
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        p = p - 0.01 * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7)
    np.testing.assert_allclose(ours, p, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("make", [optimizers.SGD, lambda: optimizers.SGD(momentum=0.9), optimizers.Adam])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_gradient_that_is_not_finite_changes_nothing(make, bad):
    optimizer, params, grads = make(), np.ones(5), np.zeros(5)
    optimizer.bind(params, grads)
    grads[:] = 1.0
    optimizer.step()
    before, state = params.copy(), optimizer.get_state()
    grads[3] = bad
    with pytest.raises(FloatingPointError, match="step 2"):
        optimizer.step()
    assert params.tolist() == before.tolist()
    assert all(np.array_equal(state[name], value) for name, value in optimizer.get_state().items())


@pytest.mark.parametrize(
    "make", [lambda: optimizers.SGD(0.1, momentum=0.9), lambda: optimizers.Adam(0.1, clipnorm=1.0)]
)
def test_state_carries_on_exactly(make):
    gradients = np.random.default_rng(0).standard_normal((8, 4))
    straight = run(make(), np.ones(4), gradients)
    first, params, grads = make(), np.ones(4), np.zeros(4)
    run(first, params, gradients[:4])
    second = make().bind(params, grads)
    second.set_state(first.get_state())
    for gradient in gradients[4:]:
        grads[:] = gradient
        second.step()
    assert params.tolist() == straight.tolist()


def test_a_state_that_does_not_fit_is_refused():
    optimizer = optimizers.Adam().bind(np.zeros(3), np.zeros(3))
    with pytest.raises(ValueError, match="'m'"):
        optimizer.set_state({"iterations": np.array(1), "m": np.zeros(2), "v": np.zeros(3)})


def test_lr_is_learning_rate():
    optimizer = optimizers.Adam(lr=3e-4, clipvalue=1.0)
    assert optimizer.learning_rate == optimizer.lr == 3e-4
    optimizer.lr = 1e-4
    assert optimizer.learning_rate == 1e-4


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"learning_rate": -1}, "learning_rate"),
        ({"learning_rate": math.nan}, "learning_rate"),
        ({"clipnorm": 0}, "clipnorm must be a finite number > 0, not 0"),
        ({"clipnorm": 1, "clipvalue": 1}, "one kind of clipping"),
    ],
)
@pytest.mark.parametrize("kind", [optimizers.SGD, optimizers.Adam])
def test_values_that_cannot_work(kind, wrong, message):
    with pytest.raises(ValueError, match=message):
        kind(**wrong)


def test_names_and_configs():
    assert type(optimizers.get("sgd")) is optimizers.SGD and type(optimizers.get("Adam")) is optimizers.Adam
    sgd = optimizers.SGD(0.2, momentum=0.5, nesterov=True)
    for optimizer in (sgd, optimizers.Adam(0.2, beta_1=0.5, clipnorm=3.0)):
        assert optimizers.get(optimizer.get_config()).get_config() == optimizer.get_config()
    with pytest.raises(TypeError, match="clipping.*there are learning_rate"):
        optimizers.Adam(clipping=1)
    with pytest.raises(ValueError, match="there are adam, adamw, rmsprop, sgd"):
        optimizers.get("ftrl")


def test_arrays_that_do_not_match_are_refused():
    for params, grads in ((3, 4), ((2, 2), (2, 2))):
        with pytest.raises(ValueError, match="flat and alike"):
            optimizers.SGD().bind(np.zeros(params), np.zeros(grads))
