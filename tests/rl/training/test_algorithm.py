"""The library: an algorithm on any environment learns, predicts, is evaluated, stopped, and leaves nothing
unasked.
"""

from __future__ import annotations

import functools
import io
import json
import sys
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit
from nnlite_ext import _threads

import nnlite as K
from rl import A2C, DQN, PolicyGradient, ValueFunction
from rl.command.errors import UsageError
from rl.core.observer import ScreenObserver
from tests.rl.helpers import train


class Corridor(gym.Env):
    """Six cells; the right end pays 1. One life a copy: `marks` counts the resets of this object."""

    observation_space = gym.spaces.Box(0, 1, (6,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.cell = 0
        return self.show(), {}

    def show(self):
        return np.eye(6, dtype=np.float32)[self.cell]

    def step(self, action):
        self.cell = max(0, self.cell + (1 if action else -1))
        return self.show(), float(self.cell == 5), self.cell == 5, False, {}


def corridor():
    return TimeLimit(Corridor(), 30)


def vector(count, mode=AutoresetMode.SAME_STEP):
    return SyncVectorEnv([corridor] * count, autoreset_mode=mode)


ALL = {"DQN": DQN, "A2C": A2C, "PolicyGradient": PolicyGradient, "ValueFunction": ValueFunction}
SMALL = {
    "PolicyGradient": {"n_steps": 32},
    "DQN": {"learning_starts": 50},
    "ValueFunction": {"learning_starts": 50},
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "env", [corridor, corridor(), vector(2), "CartPole-v1"], ids=["function", "env", "vector", "id"]
)
def test_every_algorithm_learns_on_every_kind_of_environment(name, env, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    before = _threads.get_num_threads()
    agent = ALL[name](env, seed=1, eval_episodes=2, hidden=(8,), **SMALL.get(name, {}))
    weights = agent.model.params.copy()
    assert agent.learn(400) is agent and agent.steps >= 400
    assert not np.array_equal(weights, agent.model.params)
    result = agent.evaluate(5)
    assert len(result.returns) == 5 and result.complete and np.isfinite(result.std)
    agent.close()
    assert capfd.readouterr() == ("", "") and not list(tmp_path.iterdir())
    assert _threads.get_num_threads() == before


@pytest.mark.parametrize("name", ["DQN", "A2C", "PolicyGradient"])
def test_the_corridor_is_learned(name):
    agent = ALL[name](corridor, seed=0).learn(20_000)
    assert agent.evaluate(3).lengths.tolist() == [5, 5, 5]
    assert agent.predict(np.eye(6)[2]) == 1 and agent.predict(np.eye(6)[:5]).tolist() == [1] * 5


def test_the_library_and_the_command_train_the_same_network(tmp_path, no_pictures):
    settings = {"seed": 3, "learning_starts": 50, "eval_freq": 200, "eval_episodes": 2, "keep_going": True}
    run = train("value_function", env_id="CartPole-v0", total_timesteps=600, out=str(tmp_path), **settings)
    agent = ValueFunction("CartPole-v0", **settings).learn(600)
    np.testing.assert_array_equal(agent.model.params, run.agent.model.params)


def test_learning_twice_is_learning_once(tmp_path):
    make = functools.partial(DQN, "CartPole-v1", seed=2, learning_starts=50, eval_freq=0)
    once, twice = make().learn(500), make().learn(200).learn(300)
    np.testing.assert_array_equal(once.model.params, twice.model.params)


def test_evaluations_are_repeatable_and_change_nothing():
    agent = DQN("CartPole-v1", seed=0, learning_starts=50).learn(300)
    other = DQN("CartPole-v1", seed=0, learning_starts=50).learn(300)
    first, again, apart = agent.evaluate(4), agent.evaluate(4), agent.evaluate(4, seed=9)
    np.testing.assert_array_equal(first.returns, again.returns)
    assert not np.array_equal(first.returns, apart.returns)
    np.testing.assert_array_equal(agent.learn(200).model.params, other.learn(200).model.params)


def test_catcher_is_evaluated_to_the_end_however_badly_it_is_played():
    result = DQN("rl/Catcher-v0", max_episode_steps=60).evaluate(3)
    assert result.complete and len(result.returns) == 3 and np.isfinite(result.mean)


def test_screens_are_predicted_from_stacks():
    agent = DQN("rl/Catcher-v0", num_envs=2, max_episode_steps=40)
    stacks, _ = agent.make_envs("rl/Catcher-v0", 3).reset(seed=0)
    assert agent.predict(stacks).shape == (3,) and agent.predict(stacks[0]) in (0, 1, 2)
    with pytest.raises(UsageError, match=r"shape \(64, 64, 3\)\n  the agent reads \(80, 80, 4\)"):
        agent.predict(np.zeros((64, 64, 3), np.uint8))


def test_labels_are_predicted_as_labels():
    agent = ValueFunction("FrozenLake-v1")
    assert agent.predict(3) in range(4) and agent.predict([0, 5]).shape == (2,)


def test_a_callback_sees_every_turn_and_evaluation_and_may_stop_the_run():
    events = []

    def watch(event):
        events.append(event)
        return event.steps < 300

    agent = ValueFunction("CartPole-v1", learning_starts=50, eval_freq=100, eval_episodes=2)
    agent.learn(10_000, callback=watch)
    assert agent.steps == 300 and [event.steps for event in events if event.evaluation is None] == list(
        range(1, 301)
    )
    assert [event.steps for event in events if event.evaluation] == [100, 200, 300]
    assert sum(len(event.episodes) for event in events) > 3
    assert any("train/loss" in event.metrics for event in events if event.metrics)


def test_progress_prints_what_the_command_prints(capsys):
    ValueFunction("CartPole-v1", learning_starts=50, eval_freq=100, eval_episodes=2).learn(300, progress=True)
    assert "Evaluation at step 200: mean return" in capsys.readouterr().out


def test_a_run_leaves_a_folder_and_goes_on_in_it(tmp_path):
    make = functools.partial(DQN, "CartPole-v1", seed=5, learning_starts=50, eval_freq=0, eval_episodes=2)
    agent = make().learn(300, run=tmp_path)
    (folder,) = tmp_path.glob("dqn__CartPole-v1__5__*")
    assert {"config.json", "progress.csv", "best.safetensors", "last.safetensors"} <= {
        f.name for f in folder.iterdir()
    }
    agent.learn(200, run=folder)
    assert json.loads((folder / "result.json").read_text(encoding="utf-8"))["steps"] == 500
    np.testing.assert_array_equal(agent.model.params, make().learn(500).model.params)


def test_own_network_reward_and_observer():
    shapes = []

    def network(shape, outputs, rng):
        shapes.append((shape, outputs))
        return K.Sequential([K.layers.Flatten(), K.layers.Dense(outputs)], seed=rng)

    def observer(envs):
        return ScreenObserver(envs, width=16, height=12, frames=2)

    rewards = []

    def reward(given):
        rewards.append(given)
        return np.sign(given) * 7

    agent = A2C(
        "rl/Catcher-v0",
        network=network,
        observer=observer,
        reward=reward,
        clip_rewards=False,
        n_steps=5,
        num_envs=2,
        max_episode_steps=50,
    )
    agent.learn(200)
    assert shapes == [((12, 16, 2), 4)] and len(agent.model.layers) == 2 and len(rewards) == 100
    other = A2C(
        "rl/Catcher-v0", network=network, observer=observer, n_steps=5, num_envs=2, max_episode_steps=50
    )
    assert not np.array_equal(agent.model.params, other.learn(200).model.params)


class Uncopyable(Corridor):
    def __deepcopy__(self, memo):
        raise TypeError("it holds a socket")


def makes_no_environment() -> Any:
    return 5


def wrong_network(shape, outputs, rng):
    return K.Sequential([K.layers.Dense(outputs + 1)], seed=rng)


@pytest.mark.parametrize(
    "make, what, remedy",
    [
        (lambda: DQN("CartPole-v1", gamma=5), "--gamma is 5", "give a number"),
        (lambda: DQN("CartPole-v1", gama=0.5), "no setting 'gama'", "did you mean gamma"),
        (lambda: DQN("CartPole-v1", seed="x"), "seed is 'x'", "must be of type int"),
        (lambda: DQN("CartPole-v1", double=1), "double is 1", "must be of type bool"),
        (lambda: DQN("CartPole-v1", hidden=64), "hidden is 64", "give a list of ints"),
        (lambda: DQN("CartPole-v1", hidden=("64",)), "hidden is", "give a list of ints"),
        (lambda: DQN("CartPole-v1", num_envs=True), "num_envs is True", "must be of type int"),
        (lambda: DQN("CartPole-v1", env_id="x"), "env_id is no setting in Python", "first argument"),
        (lambda: DQN("CartPole-v1", resume="x"), "resume is no setting", "rl.load"),
        (
            lambda: DQN("CartPole-v1", settings=DQN.settings_class(), gamma=0.5),
            "settings and keywords",
            "one of them",
        ),
        (lambda: DQN("rl/Catcher-v0", reward=np.sign), "reward and clip_rewards", "clip_rewards=False"),
        (lambda: DQN("NoSuchGame-v0"), "no environment 'NoSuchGame-v0'", "CartPole-v1"),
        (lambda: DQN("Pendulum-v1"), "actions of 'Pendulum-v1'", "Discrete"),
        (lambda: DQN(5), "env is int", "give an id"),
        (lambda: DQN(makes_no_environment), "the function made int", "return a gymnasium.Env"),
        (lambda: DQN(corridor(), num_envs=2), "num_envs is 2", "leave it away"),
        (lambda: DQN(vector(2), max_episode_steps=5), "max_episode_steps is 5", "leave it away"),
        (lambda: DQN(vector(2, AutoresetMode.NEXT_STEP)), "restarts games by", "SAME_STEP"),
        (lambda: DQN(Uncopyable()).learn(10), "cannot be copied", "give a function"),
        (
            lambda: DQN("CartPole-v1", network=wrong_network),
            r"gives \(3,\), not \(2,\)",
            r"end it in Dense\(2\)",
        ),
        (lambda: DQN("CartPole-v1", network=K.Sequential()), "network is Sequential", "give a function"),
        (lambda: DQN("CartPole-v1", network=lambda *_: 3), "network made int", "return an nnlite.Sequential"),
        (lambda: DQN("CartPole-v1").learn(0), "total_timesteps is 0", "whole number"),
        (lambda: DQN("CartPole-v1").learn(10.5), "total_timesteps is 10.5", "whole number"),
        (lambda: DQN("CartPole-v1").learn("10"), "total_timesteps is '10'", "whole number"),
        (lambda: DQN("CartPole-v1").evaluate(2.5), "games is 2.5", "whole number"),
        (lambda: DQN("CartPole-v1").evaluate(0), "games is 0", "whole number"),
        (lambda: DQN("CartPole-v1").predict([1.0, 2.0]), r"shape \(2,\)", r"reads \(4,\)"),
        (lambda: DQN("CartPole-v1").predict((np.zeros(4), {})), "no array", "observation alone"),
        (lambda: DQN("CartPole-v1").predict("left"), r"shape \(\)", r"reads \(4,\)"),
    ],
)
def test_wrong_use_is_two_lines(make, what, remedy):
    with pytest.raises(ValueError, match=what) as problem:
        make()
    lines = str(problem.value).splitlines()
    assert len(lines) == 2
    with pytest.raises(ValueError, match=remedy):
        raise problem.value


class OnlyWrites:
    """A stand-in for a stream, as programs with a window have it."""

    def write(self, text):
        pass


def closed_stream():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("out", [lambda: None, OnlyWrites, closed_stream])
def test_the_library_needs_no_standard_output(out, monkeypatch, no_pictures, tmp_path):
    monkeypatch.setattr(sys, "stdout", out())
    settings = {"learning_starts": 50, "eval_episodes": 1}
    assert DQN(corridor, seed=0, **settings).learn(200, progress=True).evaluate(1).complete
    train("value_function", out=str(tmp_path), total_timesteps=200, **settings)
    K.Sequential([K.layers.Dense(1)]).build((2,)).summary()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("agent.gamma = 0.5", "no 'gamma'"),
        ("agent.learning_rate = 0.5", "no 'learning_rate'"),
        ("agent.env = 'Acrobot-v1'", "env of a DQN is fixed"),
        ("agent.settings = None", "settings of a DQN is fixed"),
        ("agent.settings.gamma = 0.5", "cannot assign to field 'gamma'"),
        ("agent.settings.gama = 0.5", "cannot assign to field 'gama'"),
        ("agent.source = None", "source of a DQN is fixed"),
        ("agent.model = None", "model"),
        ("agent.steps = 0", "steps"),
        ("agent.metrics = ()", "no 'metrics'"),
    ],
)
def test_what_would_have_no_effect_on_an_agent_is_refused(statement, message):
    agent = DQN("CartPole-v1", learning_starts=10)
    with pytest.raises(AttributeError, match=message):
        exec(statement, {"agent": agent})


def test_an_algorithm_of_your_own_may_set_what_it_likes():
    class Mine(DQN):
        pass

    agent = Mine("CartPole-v1")
    agent.note = "mine"
    with pytest.raises(AttributeError, match="settings of a Mine is fixed"):
        agent.settings = None


@pytest.mark.parametrize("make", [DQN, ValueFunction, A2C, PolicyGradient])
def test_a_frozen_layer_of_an_agent_stays_as_it_is(make):
    agent = make("CartPole-v1", seed=0)
    first, *_, last = agent.model.layers
    first.trainable = False
    before, others = [w.copy() for w in first.get_weights()], agent.model.params.copy()
    agent.learn(1_500)
    for was, now in zip(before, first.get_weights()):
        assert np.array_equal(was, now)
    assert not np.array_equal(others, agent.model.params)
