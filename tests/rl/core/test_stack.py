"""Stacked vectors and repeated actions: what the network sees, where a game ends, what is refused."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from rl import DQN, load
from rl.command.errors import UsageError
from rl.core.observer import observe
from rl.envs.given import vector_of
from rl.envs.repeat import ActionRepeat


class Counter(gymnasium.Env):
    """Shows 10 * game + step; a step pays its number, and a game lasts `length` steps."""

    observation_space, action_space = spaces.Box(0, 1e6, (1,), np.float32), spaces.Discrete(2)

    def __init__(self, length=5):
        self.length, self.game = length, -1

    def reset(self, *, seed=None, options=None):
        self.game, self.count = self.game + 1, 0
        return self.shown(), {}

    def step(self, action):
        self.count += 1
        return self.shown(), float(self.count), self.count == self.length, False, {}

    def shown(self):
        return np.array([10 * self.game + self.count], np.float32)


def test_a_stack_holds_the_last_vectors_and_nothing_of_the_game_before():
    envs = observe(vector_of(Counter, 2), frame_stack=3)
    assert envs.single_observation_space.shape == (3,) and envs.observation_space.shape == (2, 3)
    assert envs.reset(seed=0)[0].tolist() == [[0, 0, 0]] * 2
    steps = [envs.step(np.zeros(2, np.int64)) for _ in range(6)]
    rows = [observations[0].tolist() for observations, *_ in steps]
    assert rows == [[0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4], [10, 10, 10], [10, 10, 11]]
    assert steps[4][4]["final_obs"].tolist() == [[3, 4, 5]] * 2
    kept = steps[0][0]
    assert kept.tolist() == [[0, 0, 1]] * 2, "observations belong to the caller"


def test_an_action_is_repeated_until_the_game_ends_and_pays_the_sum():
    env = ActionRepeat(Counter(length=5), 3)
    env.reset()
    observation, reward, terminated, *_ = env.step(0)
    assert (observation.tolist(), reward, terminated) == ([3], 1 + 2 + 3, False)
    observation, reward, terminated, *_ = env.step(0)
    assert (observation.tolist(), reward, terminated) == ([5], 4 + 5, True), "no step after the end"


@pytest.mark.parametrize(
    "env", ["CartPole-v1", lambda: gymnasium.make("CartPole-v1")], ids=["id", "function"]
)
def test_repeated_actions_shorten_games_of_every_kind(env):
    once, thrice = vector_of(env, 1), vector_of(env, 1, 0, 3)
    lengths = []
    for envs in (once, thrice):
        envs.reset(seed=3)
        ended, steps = False, 0
        while not ended:
            *_, terminated, truncated, _ = envs.step(np.zeros(1, np.int64))
            ended, steps = bool(terminated[0] or truncated[0]), steps + 1
        lengths.append(steps)
    assert lengths[1] == -(-lengths[0] // 3)


def test_an_agent_reads_stacks_and_its_run_goes_on_exactly(tmp_path):
    settings = dict(seed=1, frame_stack=2, eval_freq=0, eval_episodes=1, hidden=(8,), learning_starts=100)
    whole = DQN("CartPole-v1", **settings).learn(600)
    assert whole.model.input_shape == (8,)
    DQN("CartPole-v1", **settings).learn(300, run=tmp_path)
    (folder,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    rest = load(folder).learn(300)
    assert rest.model.params.tobytes() == whole.model.params.tobytes()
    with pytest.raises(UsageError, match="the agent reads \\(8,\\)"):
        whole.predict(np.zeros(4))


def test_screens_are_stacked_as_often_as_is_said():
    agent = DQN("rl/Catcher-v0", frame_stack=2, num_envs=1, buffer_size=200, action_repeat=2)
    assert agent.model.input_shape == (80, 80, 2)


@pytest.mark.parametrize(
    "keywords, what",
    [
        ({"env": "CartPole-v1", "frame_stack": -1}, "--frame-stack is -1"),
        ({"env": "CartPole-v1", "action_repeat": 0}, "--action-repeat is 0"),
        ({"env": "CartPole-v1", "frame_stack": 2, "observer": lambda envs: envs}, "an observer of your own"),
        ({"env": vector_of(Counter, 2), "action_repeat": 2}, "cannot repeat actions"),
    ],
    ids=["stack", "repeat", "observer", "vector"],
)
def test_what_cannot_work_is_refused(keywords, what):
    with pytest.raises(UsageError, match=what):
        DQN(**keywords)
