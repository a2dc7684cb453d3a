"""Policy gradient: its update worked out by hand, and what stands in for a return that is cut off."""

import numpy as np
import pytest

from rl.core.experience import Experience
from rl.core.policy import probabilities
from tests.rl.helpers import check_gradient, experience, make_agent


def agent(**changes):
    return make_agent("policy_gradient", **changes)


def fill(a, rng):
    for t in range(4):
        a.rollout.add(experience(rng, terminated=(t == 1, False), truncated=(False, t == 2)))
    return a.rollout


def test_the_gradient_is_that_of_the_loss_with_returns_held_constant():
    a = agent(ent_coef=0.2)
    rollout = fill(a, np.random.default_rng(1))
    advantages = a.advantages(rollout)
    a.advantages = lambda _: advantages
    a.optimizer.step = lambda: None
    metrics = a.update(rollout)
    gradient = a.model.grads.copy()

    def loss():
        pi = probabilities(a.model.predict(rollout.flat_observations()).astype(np.float64))
        log_pi = np.log(pi)
        chosen = log_pi[np.arange(len(pi)), rollout.actions.ravel()]
        return -np.mean(advantages * chosen) + 0.2 * np.mean(np.sum(pi * log_pi, axis=1))

    assert metrics["train/loss"] == pytest.approx(loss(), rel=1e-5)
    check_gradient(a, gradient, loss)


def test_advantages_are_returns_in_deviations_from_the_baseline():
    a = agent(gamma=0.5, baseline_rate=0.1)
    a.updates, a.baseline, a.spread = 1, 10.0, 2.0
    done = np.zeros(2, bool)
    zeros = np.zeros((2, 3), np.float32)
    for t in range(4):
        ended, cut = np.array([t == 3, False]), np.array([False, t == 1])
        a.rollout.add(Experience(zeros, np.zeros(2, int), np.ones(2), zeros, ended & ~done, cut))
    found = a.advantages(a.rollout).reshape(4, 2)
    ended = np.array([1.875, 1.75, 1.5, 1.0])  # nothing after an end
    cut = np.array([4.0, 6.0, 4.0, 6.0])  # the baseline after a time limit, and after the rollout
    returns = np.stack([ended, cut], axis=1)
    baseline, spread = 10 + 0.1 * (returns.mean() - 10), 2 + 0.1 * (returns.std() - 2)
    assert (a.baseline, a.spread) == (pytest.approx(baseline), pytest.approx(spread))
    np.testing.assert_allclose(found, (returns - baseline) / spread, rtol=1e-5)


def test_returns_that_are_all_alike_teach_nothing():
    a = agent(ent_coef=0.0, gamma=0.0)
    zeros = np.zeros((2, 3), np.float32)
    before = a.model.params.copy()
    for _ in range(4):
        a.observe(Experience(zeros, np.zeros(2, int), np.ones(2), zeros, np.ones(2, bool), np.zeros(2, bool)))
    assert a.updates == 1
    np.testing.assert_array_equal(a.model.params, before)
