"""The examples that promise learning, with their defaults: of --help, and of the README."""

import gymnasium
import numpy as np
import pytest

from rl import A2C, DQN, PolicyGradient, ValueFunction, a2c, dqn, load, policy_gradient, value_function
from tests.rl.helpers import read_json

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]
LEARNING = [  # article, the flags of its example, the mean return of a solved environment
    (dqn, [], None),
    (dqn, ["--test"], 195),
    (dqn, ["--env-id", "Acrobot-v1"], -100),
    (a2c, [], None),
    (a2c, ["--test"], 195),
    (policy_gradient, [], 195),
    (value_function, [], 195),
]


@pytest.mark.parametrize(("article", "flags", "least"), LEARNING)
def test_an_example_of_help_solves_its_environment(article, flags, least, tmp_path):
    program = article.__name__
    command = " ".join(["python -m", program, *flags])
    assert any(" ".join(line.split()).startswith(command) for line in article.EXAMPLES)
    assert article.main([*flags, "--out", str(tmp_path)]) == 0
    (folder,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    result = read_json(folder / "result.json")
    assert result["solved_at"] is not None
    assert least is None or result["best_mean_return"] >= least


def test_the_library_example_of_the_readme_learns(tmp_path):
    agent = DQN("CartPole-v1", seed=0).learn(20_000)
    assert agent.evaluate(100).solved
    agent.save(tmp_path / "cartpole.safetensors")
    observation, _ = gymnasium.make("CartPole-v1").reset(seed=0)
    assert load(tmp_path / "cartpole.safetensors").predict(observation) == agent.predict(observation)


class Corridor(gymnasium.Env):
    """Eight cells, a cost for every step, and a reward at the right end."""

    observation_space = gymnasium.spaces.Box(0, 1, (8,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.cell = 0
        return np.eye(8, dtype=np.float32)[0], {}

    def step(self, action):
        self.cell = max(0, self.cell + (1 if action == 1 else -1))
        found = self.cell == 7
        return np.eye(8, dtype=np.float32)[self.cell], 1.0 if found else -0.01, found, False, {}


@pytest.mark.parametrize("algorithm", [DQN, A2C, PolicyGradient, ValueFunction])
@pytest.mark.parametrize("env", ["corridor", "CartPole-v1"])
def test_defaults_learn_elsewhere(algorithm, env):
    games = env if env != "corridor" else lambda: gymnasium.wrappers.TimeLimit(Corridor(), 50)
    agent = algorithm(games, seed=0).learn(20_000 if env == "corridor" else 60_000)
    assert agent.evaluate(100).mean >= (0.9 if env == "corridor" else 475)
