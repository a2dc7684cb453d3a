"""DQN: its update worked out by hand, its schedule, and that it learns."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from gymnasium import spaces

from nnlite.saving import read_tensors
from rl import dqn
from rl.command.errors import UsageError
from rl.command.threads import use_threads
from rl.core.experience import Experience
from rl.core.replay import Batch
from rl.core.seeding import streams
from rl.training import experiment

VECTOR, TWO = spaces.Box(-1, 1, (3,), np.float32), spaces.Discrete(2)
SMALL = dict(
    num_envs=2,
    buffer_size=200,
    batch_size=4,
    learning_starts=8,
    train_freq=4,
    n_step=2,
    hidden=(5,),
    env_id="CartPole-v0",
)


def agent(seed=0, **changes):
    settings = dqn.Settings(**{**SMALL, **changes})
    settings.validate()
    return dqn.DeepQNetworkAgent(VECTOR, TWO, settings, streams(seed))


def batch(rng, n=4):
    numbers = rng.normal(size=(2, n, 3)).astype(np.float32)
    return Batch(
        numbers[0],
        rng.integers(0, 2, n),
        rng.normal(size=n).astype(np.float32),
        numbers[1],
        np.array([0.9, 0, 0.9, 0.8], np.float32)[:n],
    )


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


def test_updates_come_at_their_frequency_and_not_before_learning_starts():
    a = agent(train_freq=4, learning_starts=8)
    rng = np.random.default_rng(0)
    done = np.zeros(2, bool)
    updates = []
    for _ in range(20):
        o = rng.normal(size=(2, 3)).astype(np.float32)
        a.observe(Experience(o, np.zeros(2, int), np.ones(2), o, done, done))
        updates.append(a.updates)
    assert updates[:4] == [0, 0, 0, 0]
    assert a.updates == (40 - 8) // 4


def test_a_lost_life_ends_the_return_but_not_the_game_and_rewards_are_clipped():
    kept = {}
    a = agent(life_loss_ends=True, clip_rewards=True)
    a.replay.add = lambda o, actions, rewards, ends, stops, n: kept.update(
        rewards=rewards, ends=ends, stops=stops
    )
    o = np.zeros((2, 3), np.float32)
    a.observe(
        Experience(o, np.zeros(2, int), np.array([-6.0, 3.0]), o, np.zeros(2, bool), np.array([False, True]))
    )
    assert kept["rewards"].tolist() == [-1, 1]
    assert kept["ends"].tolist() == [True, False] and kept["stops"].tolist() == [False, True]


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


@pytest.mark.parametrize(
    "observations, what",
    [
        (spaces.Box(0, 255, (5, 9, 4), np.uint8), "5x9 is too small"),
        (spaces.Box(0, 1, (40, 40, 4), np.float32), "float32, not bytes"),
        (spaces.Box(0, 1, (3, 3), np.float32), r"shape \(3, 3\)"),
    ],
)
def test_observations_that_no_network_reads_are_answered(observations, what):
    with pytest.raises(UsageError, match=what):
        dqn.DeepQNetworkAgent(observations, TWO, dqn.Settings(), streams(0))


def run(tmp_path, **changes):
    use_threads(1)
    settings = dataclasses.replace(dqn.Settings(**dqn.TEST), out=str(tmp_path), **changes)
    return experiment.train("dqn", settings, dqn.DeepQNetworkAgent, dqn.METRICS)


def test_a_run_leaves_what_it_promises_and_a_seed_is_a_seed(tmp_path, capsys):
    first = run(tmp_path / "a", seed=3, total_timesteps=1500, eval_episodes=3, eval_freq=700)
    second = run(tmp_path / "b", seed=3, total_timesteps=1500, eval_episodes=3, eval_freq=0)
    other = run(tmp_path / "c", seed=4, total_timesteps=1500, eval_episodes=3, eval_freq=700)
    last = [read_tensors(r.folder / "last.safetensors")[0] for r in (first, second, other)]
    for name, array in last[0].items():
        np.testing.assert_array_equal(array, last[1][name])
    assert any(not np.array_equal(array, last[2][name]) for name, array in last[0].items())
    for name in (
        "config.json",
        "progress.csv",
        "monitor.csv",
        "best.safetensors",
        "reward.png",
        "replay.gif",
        "result.json",
    ):
        assert (first.folder / name).stat().st_size > 0, name
    assert (tmp_path / "a" / "latest").read_text(encoding="utf-8").strip() == first.folder.name
    assert "rl.dqn on CartPole-v0, seed 3" in capsys.readouterr().out


def test_a_screen_agent_runs_through(tmp_path):
    use_threads(1)
    settings = dqn.Settings(
        out=str(tmp_path),
        total_timesteps=120,
        num_envs=4,
        learning_starts=40,
        train_freq=20,
        eval_freq=0,
        eval_episodes=2,
        max_episode_steps=30,
        buffer_size=1000,
    )
    result = experiment.train("dqn", settings, dqn.DeepQNetworkAgent, dqn.METRICS)
    assert result.trainer.agent.updates == 4 and len(result.trainer.returns) >= 4


def test_it_learns_cartpole(tmp_path):
    result = run(tmp_path, seed=0, total_timesteps=20_000)
    assert result.trainer.solved_at is not None and result.trainer.best.mean >= 195


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_it_learns_cartpole_on_ten_seeds(tmp_path, seed):
    assert run(tmp_path, seed=seed).trainer.best.mean >= 195


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_it_learns_catcher_from_the_screen(tmp_path, seed):
    use_threads(2)
    result = experiment.train(
        "dqn", dqn.Settings(seed=seed, out=str(tmp_path)), dqn.DeepQNetworkAgent, dqn.METRICS
    )
    assert result.trainer.solved_at is not None
