"""Learning rates by schedule: Keras's numbers, exact resume at any step, and rates that cannot be."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlite import optimizers
from nnlite.models import load_model
from nnlite.optimizers.schedules import (
    CosineDecay,
    ExponentialDecay,
    LearningRateSchedule,
    PiecewiseConstantDecay,
    get,
)
from tests.examples import examples
from tests.nnlite.samples import data, small

STEPS = [0, 1, 2, 3, 4, 5, 6, 8, 9, 20]
KERAS = {  # of Keras 3.15 in float64, at STEPS
    "ExponentialDecay(0.1, 4, 0.5)": "0.1, 0.08408964, 0.07071068, 0.05946036, 0.05, 0.04204482, 0.03535534,"
    "0.025, 0.02102241, 0.003125",
    "ExponentialDecay(0.1, 4, 0.5, staircase=True)": "0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025,"
    "0.003125",
    "ExponentialDecay(0.001, 3, 1.5)": "0.001, 0.001144714, 0.001310371, 0.0015, 0.001717071, 0.001965556,"
    "0.00225, 0.002948334, 0.003375, 0.01492594",
    "CosineDecay(0.1, 8)": "0.1, 0.09619398, 0.08535534, 0.06913417, 0.05, 0.03086583, 0.01464466, 0, 0, 0",
    "CosineDecay(0.1, 8, alpha=0.25)": "0.1, 0.09714548, 0.08901651, 0.07685063, 0.0625, 0.04814937,"
    "0.0359835, 0.025, 0.025, 0.025",
    "CosineDecay(0.0, 6, warmup_target=0.2, warmup_steps=4)": "0, 0.05, 0.1, 0.15, 0.2, 0.1866025, 0.15,"
    "0.05, 0.01339746, 0",
    "CosineDecay(0.05, 5, 0.1, warmup_target=0.2, warmup_steps=3)": "0.05, 0.1, 0.15, 0.2, 0.1828115,"
    "0.1378115, 0.08218846, 0.02, 0.02, 0.02",
    "PiecewiseConstantDecay([2, 5], [0.3, 0.2, 0.1])": "0.3, 0.3, 0.3, 0.2, 0.2, 0.2, 0.1, 0.1, 0.1, 0.1",
}


@pytest.mark.parametrize("call", KERAS)
def test_a_schedule_is_kerass(call):
    rates = [eval(call)(step) for step in STEPS]
    np.testing.assert_allclose(rates, [float(x) for x in KERAS[call].split(",")], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("call", KERAS)
def test_a_config_makes_an_equal_schedule(call):
    schedule = eval(call)
    again = get(schedule.get_config())
    assert type(again) is type(schedule) and [again(n) for n in STEPS] == [schedule(n) for n in STEPS]
    assert repr(eval(repr(schedule))) == repr(schedule)


def test_the_first_step_has_the_rate_of_step_0():
    params = np.zeros(1)
    optimizer = optimizers.SGD(lambda step: 10.0**-step).bind(params, np.array([1.0]))
    assert optimizer.learning_rate == 1.0
    optimizer.step(), optimizer.step()
    assert params[0] == -1.1 and optimizer.learning_rate == optimizer.lr == 0.01


MAKERS = {
    "SGD": lambda rate: optimizers.SGD(rate, momentum=0.9),
    "Adam": optimizers.Adam,
    "AdamW": optimizers.AdamW,
    "RMSprop": optimizers.RMSprop,
}
schedules = st.one_of(
    st.builds(ExponentialDecay, st.floats(0, 1), st.integers(1, 9), st.floats(0.1, 1.1), st.booleans()),
    st.builds(CosineDecay, st.floats(0, 1), st.integers(1, 9), st.floats(0, 1)),
    st.builds(
        CosineDecay,
        *(st.floats(0, 1), st.integers(1, 9), st.floats(0, 1), st.floats(0, 1), st.integers(1, 5)),
    ),
    st.builds(PiecewiseConstantDecay, st.just([2, 5]), st.lists(st.floats(0, 1), min_size=3, max_size=3)),
)


@pytest.mark.parametrize("name", MAKERS)
@examples(25)
@given(schedules, st.integers(0, 12), st.integers(0, 99))
def test_a_schedule_is_the_same_as_setting_its_rate_before_each_step(name, schedule, steps, seed):
    """And a new optimizer with the state of one of them goes on with the same bytes, at any step."""
    gradients = np.random.default_rng(seed).standard_normal((12, 5)).astype("f4")
    params = [np.ones(5, np.float32) for _ in range(3)]
    scheduled, by_hand, resumed = (
        MAKERS[name](rate).bind(p, np.zeros(5, np.float32))
        for rate, p in zip((schedule, 0.0, schedule), params)
    )
    for step, gradient in enumerate(gradients):
        by_hand.learning_rate = schedule(step)
        if step == steps:
            resumed.set_state(scheduled.get_state())
            params[2][...] = params[0]
        for optimizer in (scheduled, by_hand, resumed):
            optimizer.grads[...] = gradient
            optimizer.step()
        assert params[0].tobytes() == params[1].tobytes()
        assert step < steps or params[2].tobytes() == params[0].tobytes()


@pytest.mark.parametrize("name", MAKERS)
def test_a_loaded_model_goes_on_in_the_middle_of_its_schedule(name, tmp_path):
    model = small()
    model.compile(MAKERS[name](CosineDecay(0.01, 8, warmup_target=0.05, warmup_steps=2)), "mse")
    model.fit(*data(), batch_size=5, epochs=1, shuffle=False, verbose=0)
    model.save(tmp_path / "m", include_optimizer=True)
    loaded = load_model(tmp_path / "m")
    assert loaded.optimizer.learning_rate == model.optimizer.learning_rate == CosineDecay(0.05, 8)(2)
    assert repr(loaded.optimizer) == repr(model.optimizer)
    for one in (model, loaded):
        one.fit(*data(), batch_size=5, epochs=2, shuffle=False, verbose=0)
    assert loaded.params.tobytes() == model.params.tobytes()


@pytest.mark.parametrize("name", MAKERS)
def test_a_number_cannot_be_set_where_a_schedule_rules(name):
    optimizer = MAKERS[name](ExponentialDecay(0.1, 1, 0.5))
    for attribute in ("learning_rate", "lr"):
        with pytest.raises(TypeError, match="follows a schedule"):
            setattr(optimizer, attribute, 0.1)
    optimizer.learning_rate = ExponentialDecay(0.4, 1, 0.5)  # another schedule may
    assert optimizer.learning_rate == 0.4
    plain = MAKERS[name](0.1)
    plain.learning_rate = ExponentialDecay(0.3, 1, 0.5)
    assert plain.learning_rate == 0.3


class Growing(LearningRateSchedule):
    def __init__(self, base):
        self.base = base

    def __call__(self, step):
        return self.base * (step + 1)


def test_a_schedule_of_your_own():
    optimizer = optimizers.Adam(Growing(0.1)).bind(np.zeros(2), np.ones(2))
    optimizer.step()
    assert optimizer.learning_rate == 0.2
    assert optimizer.get_config()["learning_rate"] == {"name": "Growing", "base": 0.1}
    assert repr(optimizer) == "Adam(learning_rate=Growing(base=0.1))"


@pytest.mark.parametrize("rate", [math.nan, -1.0, "0.1", None, 1e308 * 10])
@pytest.mark.parametrize("name", MAKERS)
def test_a_rate_that_cannot_be_changes_nothing(name, rate):
    params = np.ones(3)
    optimizer = MAKERS[name](lambda step: rate if step else 0.1).bind(params, np.ones(3))
    optimizer.step()
    before, state = params.tobytes(), optimizer.get_state()
    with pytest.raises(ValueError, match="scheduled learning rate of step 2 must be a finite number >= 0"):
        optimizer.step()
    assert params.tobytes() == before
    assert all(np.array_equal(state[key], value) for key, value in optimizer.get_state().items())


WRONG = {
    "ExponentialDecay(-0.1, 10, 0.5)": "initial_learning_rate must be",
    "ExponentialDecay(0.1, 0, 0.5)": "decay_steps must be",
    "ExponentialDecay(0.1, 10, math.nan)": "decay_rate must be",
    "ExponentialDecay(0.1, 10, 0.5, staircase=1)": "staircase must be True or False",
    "CosineDecay(0.1, 0)": "decay_steps must be",
    "CosineDecay(0.1, 10, alpha=-1)": "alpha must be",
    "CosineDecay(0.1, 10, warmup_target=0.1)": "a warm-up needs both",
    "CosineDecay(0.1, 10, warmup_steps=3)": "a warm-up needs both",
    "PiecewiseConstantDecay([1], [0.1])": "one value more than boundaries, not 1 and 1",
    "PiecewiseConstantDecay([], [0.1])": "at least one boundary",
    "PiecewiseConstantDecay([2, 1], [1, 1, 1])": "boundaries must rise",
    "PiecewiseConstantDecay([1], [0.1, -1])": "a value must be",
    "get({'name': 'polynomial_decay'})": "learning rate schedule 'polynomial_decay'; there are cosine_decay",
    "optimizers.Adam({'name': 'cosine'})": "there are cosine_decay, exponential_decay, piecewise_constant",
    "optimizers.Adam('cosine_decay')": "learning_rate must be a finite number",
}


@pytest.mark.parametrize("call", WRONG)
def test_settings_that_cannot_work(call):
    with pytest.raises(ValueError, match=WRONG[call]):
        eval(call)


def test_a_schedule_has_no_other_attributes():
    with pytest.raises(AttributeError, match="decay_rate of a ExponentialDecay is fixed"):
        ExponentialDecay(0.1, 10, 0.5).decay_rate = 0.9
    with pytest.raises(AttributeError, match="no 'PolynomialDecay'; there are CosineDecay"):
        optimizers.schedules.PolynomialDecay  # noqa: B018
    with pytest.raises(OverflowError):
        ExponentialDecay(0.1, 1, 10.0)(400)
    with pytest.raises(ValueError, match="scheduled learning rate of step 1"):
        optimizers.Adam(lambda step: 10.0**400).bind(np.zeros(1), np.zeros(1)).step()


def test_fit_asks_for_the_rate_of_each_step_once():
    rates = []

    def watched(step):
        rates.append(step)
        return 0.1

    model = small()
    model.compile(optimizers.Adam(watched), "mse")
    model.fit(*data(), batch_size=5, epochs=2, verbose=0)
    assert rates == list(range(8))
