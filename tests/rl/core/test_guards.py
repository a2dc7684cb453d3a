"""NaN and infinity stop a run before a weight changes, and the error says which number, where and when."""

import threading

import gymnasium
import numpy as np
import pytest

from rl.core.guards import check_loss, check_step
from rl.runs.checkpoint import Checkpoints
from tests.rl.games import Game
from tests.rl.helpers import ALGORITHMS, run_folder_in, train


class Poisoned(Game):
    """A game whose observation or reward is spoilt in its 40th step."""

    observation_space, cut = gymnasium.spaces.Box(-1, 1, (3,), np.float32), True
    what, value, steps = "reward", np.nan, 0

    def step(self, action):
        Poisoned.steps += 1
        return super().step(action)

    def show(self):
        spoilt = self.what == "observation" and Poisoned.steps == 40
        return np.array([0.1, self.value if spoilt else 0.1, 0.1], np.float32)

    def pay(self, action):
        return self.value if self.what == "reward" and Poisoned.steps == 40 else 1.0


gymnasium.register("Poisoned-v0", Poisoned)
LEARNS = {"dqn": {"learning_starts": 10, "train_freq": 1}, "a2c": {"n_steps": 5}}


def stopped(name, out, before=lambda agent: None, **settings):
    """The agent of a run, and the problem that stopped it; `before` may spoil the agent."""
    made = []

    def make(*arguments):
        made.append(ALGORITHMS[name].agent_class(*arguments))
        before(made[0])
        return made[0]

    short = {"num_envs": 1, "total_timesteps": 100, "eval_freq": 0, "eval_episodes": 1, "save_freq": 0}
    with pytest.raises(FloatingPointError) as caught:
        train(name, make, **{**short, **LEARNS[name], "env_id": "CartPole-v1", "out": str(out), **settings})
    return made[0], str(caught.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("what", ["reward", "observation"])
@pytest.mark.parametrize("name", LEARNS)
def test_what_an_environment_spoils(name, what, value, tmp_path, monkeypatch):
    monkeypatch.setattr(Poisoned, "what", what)
    monkeypatch.setattr(Poisoned, "value", value)
    monkeypatch.setattr(Poisoned, "steps", 0)
    agent, problem = stopped(name, tmp_path, save_freq=20, env_id="Poisoned-v0")
    assert f"the {what} of game 0" in problem and str(value) in problem and "environment step 39" in problem
    assert "\n  " in problem and np.isfinite(agent.model.params).all()
    assert agent.steps == 39 and agent.updates > 0
    checkpoints = Checkpoints(run_folder_in(tmp_path))
    for thread in threading.enumerate():  # it may be at it still
        if thread.name == "checkpoint":
            thread.join()
    assert checkpoints.load()["agent"]["steps"] == 20  # a healthy one


@pytest.mark.parametrize("name", LEARNS)
def test_a_spoilt_weight_is_named_before_another_changes(name, tmp_path):
    def spoil(agent):
        agent.model.layers[-1].weights[0].value[0, 0] = np.nan
        agent.seen = agent.model.params.copy()

    agent, problem = stopped(name, tmp_path, before=spoil)
    assert "kernel" in problem and "environment step" in problem and "no weight was changed" in problem
    np.testing.assert_array_equal(agent.model.params, agent.seen)


def test_a_spoilt_target_is_named(tmp_path):
    def spoil(agent):
        agent.target.params[:] = np.inf
        agent.seen = agent.model.params.copy()

    agent, problem = stopped("dqn", tmp_path, before=spoil)
    assert "target" in problem and "environment step" in problem
    np.testing.assert_array_equal(agent.model.params, agent.seen)


def test_a_gradient_that_overflows_is_located(tmp_path):
    def spoil(agent):
        backward = agent.model.backward

        def overflowing(dy, need_dx=False):
            backward(dy, need_dx)
            agent.model.layers[0].weights[0].gradient[0, 0] = np.inf

        agent.model.backward = overflowing

    agent, problem = stopped("dqn", tmp_path, before=spoil)
    assert "gradient of dense/kernel" in problem and "environment step" in problem


def test_shapes_that_would_broadcast_are_refused():
    no = np.zeros(4, bool)
    good = {"observations": np.zeros((4, 3)), "rewards": np.zeros(4), "terminated": no, "truncated": no}
    check_step(**good, games=4, step=0)
    for name, shape in zip(good, ((1, 3), (4, 1), (1,), ())):
        with pytest.raises(ValueError, match="4 games gave"):
            check_step(**{**good, name: np.zeros(shape)}, games=4, step=0)


def test_large_numbers_are_no_infinity():
    no = np.zeros(2, bool)
    check_step(np.full((2, 3), 1e30, np.float32), np.full(2, 1e300), no, no, 2, 0)
    check_loss(1e30)
    with pytest.raises(FloatingPointError, match="loss is nan, because target is not finite"):
        check_loss(float("nan"), target=np.array([np.nan]), q=np.zeros(3))
