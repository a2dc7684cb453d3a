"""Policy gradient: its update worked out by hand, what stands in for a cut-off return, and that it learns."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces

from rl import policy_gradient
from rl.command.threads import use_threads
from rl.core.experience import Experience
from rl.core.policy import probabilities
from rl.core.seeding import streams
from rl.training import experiment

VECTOR, TWO = spaces.Box(-1, 1, (3,), np.float32), spaces.Discrete(2)
SMALL = dict(env_id="CartPole-v0", num_envs=2, n_steps=4, hidden=(5,))


def agent(seed=0, **changes):
    settings = policy_gradient.Settings(**{**SMALL, **changes})
    settings.validate()
    return policy_gradient.PolicyGradientAgent(VECTOR, TWO, settings, streams(seed))


def experience(rng, terminated=(False, False), truncated=(False, False)):
    now, after = rng.normal(size=(2, 2, 3)).astype(np.float32)
    return Experience(
        now, rng.integers(0, 2, 2), rng.normal(size=2), after, np.array(terminated), np.array(truncated)
    )


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
    for index in np.argsort(np.abs(gradient))[-8:]:
        kept = a.model.params[index]
        a.model.params[index] = kept + 1e-2
        up = loss()
        a.model.params[index] = kept - 1e-2
        down = loss()
        a.model.params[index] = kept
        assert gradient[index] == pytest.approx((up - down) / 2e-2, rel=0.02)


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


def test_every_step_is_learned_from_once():
    a = agent()
    rng = np.random.default_rng(0)
    updates = [a.updates for _ in range(12) if a.observe(experience(rng)) or True]
    assert updates == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3] and a.steps == 24


def test_a_seed_is_a_seed_and_a_state_is_enough():
    a, b = agent(seed=3), agent(seed=3)
    rng = np.random.default_rng(0)
    steps = [experience(rng, truncated=(t % 5 == 0, False)) for t in range(22)]
    for step in steps[:10]:
        assert np.array_equal(a.act(step.observations), b.act(step.observations))
        a.observe(step)
        b.observe(step)
    c = agent(seed=4)
    c.set_state(a.get_state())
    for step in steps[10:]:
        assert np.array_equal(b.act(step.observations), c.act(step.observations))
        b.observe(step)
        c.observe(step)
    np.testing.assert_array_equal(b.model.params, c.model.params)
    assert (b.updates, b.baseline, b.spread) == (c.updates, c.baseline, c.spread)


@pytest.mark.parametrize(
    "changes", [{"n_steps": 0}, {"clipnorm": 0.0}, {"ent_coef": -1.0}, {"baseline_rate": 0.0}]
)
def test_settings_that_cannot_work_are_answered(changes):
    with pytest.raises(ValueError, match=f"--{next(iter(changes)).replace('_', '-')}"):
        agent(**changes)


def solve(seed, out):
    settings = policy_gradient.Settings(seed=seed, out=str(out))
    return experiment.train(
        "policy_gradient", settings, policy_gradient.PolicyGradientAgent, policy_gradient.METRICS
    )


def test_a_run_on_cartpole_solves_it_and_leaves_every_part_of_the_loss(tmp_path):
    use_threads(1)
    result = solve(0, tmp_path)
    assert result.trainer.solved_at is not None
    columns = (result.folder / "progress.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert set(policy_gradient.METRICS) <= set(columns)


@pytest.mark.slow
def test_cartpole_is_solved_on_nine_seeds_of_ten(tmp_path):
    use_threads(0)
    solved = [solve(seed, tmp_path).trainer.solved_at is not None for seed in range(10)]
    assert sum(solved) >= 9, solved
