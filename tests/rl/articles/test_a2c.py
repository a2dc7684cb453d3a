"""A2C: its update worked out by hand, what it must not do, and that it learns."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from gymnasium import spaces

from rl import a2c
from rl.command.threads import use_threads
from rl.core.experience import Experience
from rl.core.policy import probabilities
from rl.core.seeding import streams
from rl.training import experiment

VECTOR, TWO = spaces.Box(-1, 1, (3,), np.float32), spaces.Discrete(2)
SMALL = dict(
    env_id="CartPole-v0", num_envs=2, n_steps=4, hidden=(5,), clip_rewards=False, life_loss_ends=False
)


def agent(seed=0, **changes):
    settings = a2c.Settings(**{**SMALL, **changes})
    settings.validate()
    return a2c.ActorCriticAgent(VECTOR, TWO, settings, streams(seed))


def experience(rng, reward=1.0, terminated=(False, False), truncated=(False, False)):
    now, after = rng.normal(size=(2, 2, 3)).astype(np.float32)
    return Experience(
        now, rng.integers(0, 2, 2), np.full(2, reward), after, np.array(terminated), np.array(truncated)
    )


def fill(a, rng, steps=4):
    for t in range(steps):
        a.rollout.add(
            experience(rng, reward=float(rng.normal()), terminated=(t == 1, False), truncated=(False, t == 2))
        )
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
    worst = np.argsort(np.abs(gradient))[-8:]  # the largest parts: float32 is exact enough there
    for index in worst:
        kept = a.model.params[index]
        a.model.params[index] = kept + 1e-2
        up = loss_of(a, rollout, advantages, returns)
        a.model.params[index] = kept - 1e-2
        down = loss_of(a, rollout, advantages, returns)
        a.model.params[index] = kept
        assert gradient[index] == pytest.approx((up - down) / 2e-2, rel=0.02)


def test_the_critic_sees_the_state():
    """The listing's rewards (B,) less values (B, 1) made a (B, B) error, whose gradient is the same for
    every state.
    """
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
    observation = np.ones((2, 3), np.float32)
    for _ in range(20):
        a.observe(
            Experience(
                observation,
                np.ones(2, int),
                np.full(2, -5.0),
                observation,
                np.ones(2, bool),
                np.zeros(2, bool),
            )
        )
    assert a.preferences(observation)[0, 1] < 0.1  # softplus of an advantage would have pushed it up


def test_every_step_is_learned_from_once():
    a = agent()
    rng = np.random.default_rng(0)
    updates = [a.updates for _ in range(12) if a.observe(experience(rng)) or True]
    assert updates == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3] and a.steps == 24


def test_rewards_are_clipped_and_a_lost_life_ends_the_return_when_asked():
    rng = np.random.default_rng(0)
    for changed, reward, ends in ((True, -1.0, True), (False, -3.0, False)):
        a = agent(clip_rewards=changed, life_loss_ends=changed)
        a.observe(experience(rng, reward=-3.0))
        assert a.rollout.rewards[0].tolist() == [reward] * 2
        assert a.rollout.terminated[0].all() == a.rollout.done[0].all() == ends


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
    assert b.updates == c.updates == 5


@pytest.mark.parametrize(
    "changes", [{"n_steps": 0}, {"clipnorm": 0.0}, {"ent_coef": -1.0}, {"vf_coef": -0.1}, {"gae_lambda": 1.5}]
)
def test_settings_that_cannot_work_are_answered(changes):
    with pytest.raises(ValueError, match=f"--{next(iter(changes)).replace('_', '-')}"):
        agent(**changes)


def solve(seed, out):
    settings = a2c.Settings(**a2c.TEST, seed=seed, out=str(out))
    return experiment.train("a2c", settings, a2c.ActorCriticAgent, a2c.METRICS)


def test_a_run_on_cartpole_solves_it_and_leaves_every_part_of_the_loss(tmp_path):
    use_threads(1)
    result = solve(0, tmp_path)
    assert result.trainer.solved_at is not None
    columns = (result.folder / "progress.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert set(a2c.METRICS) <= set(columns)


@pytest.mark.slow
def test_cartpole_is_solved_on_nine_seeds_of_ten(tmp_path):
    use_threads(0)
    solved = [solve(seed, tmp_path).trainer.solved_at is not None for seed in range(10)]
    assert sum(solved) >= 9, solved


@pytest.mark.slow
def test_catcher_is_solved_from_the_screen_on_four_seeds_of_five(tmp_path):
    use_threads(0)
    default = dataclasses.replace(a2c.Settings(), out=str(tmp_path))
    runs = [
        experiment.train("a2c", dataclasses.replace(default, seed=s), a2c.ActorCriticAgent, a2c.METRICS)
        for s in range(5)
    ]
    assert sum(run.trainer.solved_at is not None for run in runs) >= 4
