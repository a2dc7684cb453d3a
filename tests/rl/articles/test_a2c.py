"""A2C: its update worked out by hand, and what it must not do."""

import numpy as np
import pytest

from rl.core.experience import Experience
from rl.core.policy import probabilities
from tests.rl.helpers import check_gradient, experience, make_agent


def agent(**changes):
    return make_agent("a2c", **changes)


def fill(a, rng, steps=4):
    for t in range(steps):
        a.rollout.add(experience(rng, terminated=(t == 1, False), truncated=(False, t == 2)))
    return a.rollout


def loss_of(a, rollout, advantages, returns):
    """The three parts of the loss, for constants `advantages` and `returns`."""
    output = a.model.predict(rollout.flat_observations()).astype(np.float64)
    pi = probabilities(output[:, :-1])
    log_pi = np.log(pi)
    policy = -np.mean(advantages * log_pi[np.arange(len(pi)), rollout.actions.ravel()])
    value = np.mean((output[:, -1] - returns) ** 2)
    return policy + a.settings.vf_coef * value + a.settings.ent_coef * np.mean(np.sum(pi * log_pi, axis=1))


def test_the_gradient_is_that_of_the_loss_with_advantages_held_constant():
    a = agent(ent_coef=0.2, vf_coef=0.7)
    rollout = fill(a, np.random.default_rng(1))
    values = a.model.predict(rollout.flat_observations())[:, -1]
    advantages = a.advantages(rollout, values)
    returns = advantages + values
    a.optimizer.step = lambda: None
    metrics = a.update(rollout)
    gradient = a.model.grads.copy()
    assert metrics["train/loss"] == pytest.approx(loss_of(a, rollout, advantages, returns), rel=1e-5)
    check_gradient(a, gradient, lambda: loss_of(a, rollout, advantages, returns))


def test_the_critic_sees_the_state():
    """The listing's rewards (B,) less values (B, 1) made a (B, B) error, the same for every state."""
    a = agent(vf_coef=1.0)
    rollout = fill(a, np.random.default_rng(2))
    seen = []
    a.model.backward = lambda dy: seen.append(dy)
    a.optimizer.step = lambda: None
    values = a.model.predict(rollout.flat_observations())[:, -1]
    advantages = a.advantages(rollout, values)
    a.update(rollout)
    np.testing.assert_allclose(seen[0][:, -1], -2 * advantages / len(advantages), rtol=1e-4, atol=1e-6)
    assert np.ptp(seen[0][:, -1]) > 0.01


def test_a_bad_action_is_pushed_down():
    a = agent(ent_coef=0.0, vf_coef=0.0, n_steps=1, learning_rate=0.05)
    observation, ended, running = np.ones((2, 3), np.float32), np.ones(2, bool), np.zeros(2, bool)
    for _ in range(20):
        a.observe(Experience(observation, np.ones(2, int), np.full(2, -5.0), observation, ended, running))
    assert a.preferences(observation)[0, 1] < 0.1  # softplus of an advantage would have pushed it up


def test_rewards_are_clipped_and_a_lost_life_ends_the_return_when_asked():
    rng = np.random.default_rng(0)
    for changed, reward, ends in ((True, -1.0, True), (False, -3.0, False)):
        a = agent(clip_rewards=changed, life_loss_ends=changed)
        a.observe(experience(rng, reward=-3.0))
        assert a.rollout.rewards[0].tolist() == [reward] * 2
        assert a.rollout.terminated[0].all() == a.rollout.done[0].all() == ends
