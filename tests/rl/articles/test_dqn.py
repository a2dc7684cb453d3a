"""DQN: its update worked out by hand, its target network and its exploration."""

import numpy as np
import pytest

from rl.core.experience import Experience
from rl.core.replay import Batch
from tests.rl.helpers import make_agent


def agent(**changes):
    return make_agent("dqn", **changes)


def batch(rng, n=4):
    now, after = rng.normal(size=(2, n, 3)).astype(np.float32)
    discounts = np.array([0.9, 0, 0.9, 0.8], np.float32)[:n]
    return Batch(now, rng.integers(0, 2, n), rng.normal(size=n).astype(np.float32), after, discounts)


@pytest.mark.parametrize("double", [True, False])
@pytest.mark.parametrize("delta", [0.3, float("inf")])
def test_the_update_is_the_formula(double, delta):
    a = agent(double=double, huber_delta=delta)
    rng = np.random.default_rng(1)
    a.target.params[...] = rng.normal(size=a.target.params.size)
    b = batch(rng)
    q_next, q_target = a.model.predict(b.next_observations), a.target.predict(b.next_observations)
    best = (q_next if double else q_target).argmax(1)
    y = b.returns + b.discounts * q_target[np.arange(4), best]
    q = a.model.predict(b.observations)
    error = q[np.arange(4), b.actions] - y
    small = np.abs(error) <= delta
    beyond = 0.0 if delta == float("inf") else delta * (np.abs(error) - delta / 2)
    expected = np.where(small, error**2 / 2, beyond)
    dq = np.zeros_like(q)
    dq[np.arange(4), b.actions] = np.clip(error, -delta, delta) / 4
    a.model.forward(b.observations)
    a.model.backward(dq)
    gradient = a.model.grads.copy()
    a.optimizer.step = lambda: None
    metrics = a.update(b)
    assert metrics["train/loss"] == pytest.approx(expected.mean(), rel=1e-5)
    np.testing.assert_allclose(a.model.grads, gradient, rtol=1e-5, atol=1e-7)


def test_returns_are_those_of_n_steps():
    a = agent(n_step=3, gamma=0.5)
    o, no = np.zeros((2, 3), np.float32), np.zeros(2, bool)
    for _ in range(8):
        a.store(Experience(o, np.zeros(2, int), np.ones(2), o, no, no))
    drawn = a.replay.sample(16, np.random.default_rng(0))
    assert set(drawn.returns) == {1.75} and set(drawn.discounts) == {0.125}


def test_the_target_network_starts_equal_and_is_renewed_by_updates():
    a = agent(target_update=3)
    np.testing.assert_array_equal(a.model.params, a.target.params)
    rng = np.random.default_rng(0)
    first = a.target.params.copy()
    for update in range(1, 7):
        a.update(batch(rng))
        same = np.array_equal(a.model.params, a.target.params)
        assert same == (update % 3 == 0)
    assert not np.array_equal(first, a.target.params)


def test_a_lost_life_ends_the_return_but_not_the_game_and_rewards_are_clipped():
    kept = []
    a = agent(life_loss_ends=True, clip_rewards=True)
    a.replay.add = lambda *step: kept.append(step)
    o, no, cut = np.zeros((2, 3), np.float32), np.zeros(2, bool), np.array([False, True])
    a.observe(Experience(o, np.zeros(2, int), np.array([-6.0, 3.0]), o, no, cut))
    ((_, _, rewards, ends, stops, _),) = kept
    assert rewards.tolist() == [-1, 1]
    assert ends.tolist() == [True, False] and stops.tolist() == [False, True]


def test_epsilon_falls_and_random_play_comes_first():
    a = agent(initial_epsilon=0.8, final_epsilon=0.2, exploration_steps=10, learning_starts=8)
    for a.steps in (0, 8):
        assert a.epsilon == pytest.approx(0.8)
    a.steps = 13
    assert a.epsilon == pytest.approx(0.5)
    a.steps = 1000
    assert a.epsilon == pytest.approx(0.2)
    o = np.tile(np.random.default_rng(0).normal(size=(1, 3)).astype(np.float32), (2000, 1))
    share = np.mean(a.act(o) != a.greedy(o))
    assert 0.07 < share < 0.13  # half of the random actions are the best one
