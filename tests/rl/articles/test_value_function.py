"""Q-learning with a replay: its update worked out by hand, the scale of its observations, and that it
learns.
"""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces

from nnlite import load_model
from rl import value_function
from rl.command.threads import use_threads
from rl.core.experience import Experience
from rl.core.replay import Batch
from rl.core.seeding import streams
from rl.training import experiment

VECTOR, TWO = spaces.Box(-1, 1, (3,), np.float32), spaces.Discrete(2)
SMALL = dict(num_envs=2, buffer_size=200, batch_size=4, learning_starts=8, train_freq=4, hidden=(5,))


def agent(seed=0, observations=VECTOR, **changes):
    settings = value_function.Settings(**{**SMALL, **changes})
    settings.validate()
    return value_function.ValueFunctionAgent(observations, TWO, settings, streams(seed))


def experience(rng):
    now, after = rng.normal(3, 2, size=(2, 2, 3)).astype(np.float32)
    return Experience(now, rng.integers(0, 2, 2), np.ones(2), after, rng.random(2) < 0.2, rng.random(2) < 0.1)


def learned(seed=0, steps=30):
    a, rng = agent(seed), np.random.default_rng(5)
    for _ in range(steps):
        a.observe(experience(rng))
    return a


def test_the_update_is_the_formula():
    a, rng = agent(), np.random.default_rng(1)
    a.scaler.fit(rng.normal(3, 2, (50, 3)).astype(np.float32))
    now, after = rng.normal(size=(2, 4, 3)).astype(np.float32)
    b = Batch(
        now,
        rng.integers(0, 2, 4),
        rng.normal(size=4).astype(np.float32),
        after,
        np.array([0.9, 0, 0.9, 0.9], np.float32),
    )
    error = a.preferences(now)[np.arange(4), b.actions] - (
        b.returns + b.discounts * a.preferences(after).max(axis=1)
    )
    dq = np.zeros((4, 2), np.float32)
    dq[np.arange(4), b.actions] = error / 4  # the target is a constant: only Q(s, a) has a gradient
    a.model.forward(a.scaler(now))
    a.model.backward(dq)
    gradient = a.model.grads.copy()
    a.optimizer.step = lambda: None
    metrics = a.update(b)
    assert metrics["train/loss"] == pytest.approx(np.mean(error**2) / 2, rel=1e-5)
    np.testing.assert_allclose(a.model.grads, gradient, rtol=1e-5, atol=1e-7)


def test_updates_come_at_their_frequency_and_not_before_learning_starts():
    a, rng = agent(train_freq=4, learning_starts=8), np.random.default_rng(0)
    updates = []
    for _ in range(8):
        a.observe(experience(rng))
        updates.append(a.updates)
    assert updates == [0, 0, 0, 0, 0, 1, 1, 2]


def test_random_play_fixes_the_scale_once():
    a, rng = agent(), np.random.default_rng(0)
    scales = []
    for _ in range(10):
        a.observe(experience(rng))
        scales.append((a.scaler.fitted, a.scaler.get_state()["mean"].tolist()))
    assert [fitted for fitted, _ in scales] == [False] * 3 + [True] * 7
    assert scales[3] == scales[-1]
    assert np.abs(a.scaler.mean - 3).max() < 2.5


def test_the_saved_network_reads_observations_as_they_are(tmp_path):
    a, x = learned(), np.random.default_rng(2).normal(3, 2, (20, 3)).astype(np.float32)
    a.save(tmp_path / "best.safetensors")
    np.testing.assert_allclose(
        load_model(tmp_path / "best.safetensors").predict(x), a.preferences(x), rtol=1e-3, atol=1e-4
    )
    other = agent(seed=9)
    other.scaler.fit(x)
    other.load(tmp_path / "best.safetensors")
    np.testing.assert_allclose(other.preferences(x), a.preferences(x), rtol=1e-3, atol=1e-4)


def test_a_state_is_enough_to_go_on():
    a, b = learned(), agent(seed=7)
    b.set_state(a.get_state())
    rng_a, rng_b = np.random.default_rng(3), np.random.default_rng(3)
    for _ in range(12):
        step_a, step_b = experience(rng_a), experience(rng_b)
        assert np.array_equal(a.act(step_a.observations), b.act(step_b.observations))
        a.observe(step_a)
        b.observe(step_b)
    np.testing.assert_array_equal(a.model.params, b.model.params)


def test_screens_are_learned_from_too():
    screens = spaces.Box(0, 255, (8, 8, 4), np.uint8)
    a, rng = agent(observations=screens), np.random.default_rng(0)
    for _ in range(8):
        o = rng.integers(0, 255, (2, 8, 8, 4)).astype(np.uint8)
        a.observe(Experience(o, a.act(o), np.ones(2), o, np.zeros(2, bool), np.zeros(2, bool)))
    assert a.updates == 2 and not a.scaler.fitted


@pytest.mark.parametrize(
    "changes",
    [{"batch_size": 0}, {"learning_starts": 0}, {"train_freq": 0}, {"epsilon": 1.5}, {"buffer_size": 3}],
)
def test_settings_that_cannot_work_are_answered(changes):
    with pytest.raises(ValueError, match=f"--{next(iter(changes)).replace('_', '-')}"):
        agent(**changes)


def solve(seed, out):
    settings = value_function.Settings(seed=seed, out=str(out))
    return experiment.train(
        "value_function", settings, value_function.ValueFunctionAgent, value_function.METRICS
    )


def test_a_run_on_cartpole_solves_it(tmp_path):
    use_threads(1)
    assert solve(0, tmp_path).trainer.solved_at is not None


@pytest.mark.slow
def test_cartpole_is_solved_on_nine_seeds_of_ten(tmp_path):
    use_threads(0)
    solved = [solve(seed, tmp_path).trainer.solved_at is not None for seed in range(10)]
    assert sum(solved) >= 9, solved
