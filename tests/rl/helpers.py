"""The four agents by name, and how tests make one, feed it and train it."""

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from rl import a2c, dqn, policy_gradient, value_function
from rl.core.agent import Agent
from rl.core.evaluation import Evaluation
from rl.core.experience import Experience
from rl.core.seeding import streams
from rl.training import train as training

VECTOR, TWO = spaces.Box(-1, 1, (3,), np.float32), spaces.Discrete(2)
ARTICLES = {"dqn": dqn, "a2c": a2c, "policy_gradient": policy_gradient, "value_function": value_function}
ALGORITHMS = {
    "dqn": dqn.DQN,
    "a2c": a2c.A2C,
    "policy_gradient": policy_gradient.PolicyGradient,
    "value_function": value_function.ValueFunction,
}
REPLAY = dict(buffer_size=200, batch_size=4, learning_starts=8, train_freq=4)
SMALL: dict[str, dict[str, Any]] = {  # two games of VECTOR; an update every few steps
    "dqn": dict(REPLAY, n_step=2, target_update=2, clip_rewards=False, life_loss_ends=False),
    "a2c": dict(n_steps=4, clip_rewards=False, life_loss_ends=False),
    "policy_gradient": dict(n_steps=4),
    "value_function": REPLAY,
}
CARTPOLE: dict[str, dict[str, Any]] = {  # settings that solve CartPole-v0
    "dqn": dqn.TEST,
    "a2c": a2c.TEST,
    "policy_gradient": {},
    "value_function": {},
}


class Trained(NamedTuple):
    """Result of a run, as tests look at it."""

    folder: Path
    agent: Agent
    solved_at: int | None
    best: Evaluation
    returns: list[float]


def settings_of(name: str, **changes: Any) -> Any:
    """The article's settings, checked."""
    settings = ARTICLES[name].Settings(**changes)
    settings.validate()
    return settings


def make_agent(name: str, seed: int = 0, observations: spaces.Space = VECTOR, **changes: Any) -> Any:
    """A small agent for two games of `observations` and two actions."""
    settings = settings_of(name, **{"num_envs": 2, "hidden": (5,), **SMALL[name], **changes})
    return ALGORITHMS[name].agent_class(observations, TWO, settings, streams(seed))


def train(name: str, make: Any = None, **settings: Any) -> Trained:
    """Train the article's agent as its command does; `make` makes another agent instead."""
    algorithm: Any = ALGORITHMS[name]
    if make is not None:
        algorithm = type("Other", (algorithm,), {"agent_class": staticmethod(make), "article": name})
    result = training.train(algorithm, algorithm.settings_class(**settings))
    trainer = result.trainer
    return Trained(result.folder, trainer.agent, trainer.solved_at, trainer.best, trainer.returns)


def experience(
    rng: np.random.Generator,
    reward: float | None = None,
    terminated: tuple[bool, bool] = (False, False),
    truncated: tuple[bool, bool] = (False, False),
) -> Experience:
    """One random step of two games of VECTOR; reward None draws them."""
    now, after = rng.normal(size=(2, 2, 3)).astype(np.float32)
    rewards = rng.normal(size=2) if reward is None else np.full(2, reward)
    return Experience(now, rng.integers(0, 2, 2), rewards, after, np.array(terminated), np.array(truncated))


def experiences(seed: int, count: int) -> list[Experience]:
    """Steps of two games in which each observation follows the one before; some end, some are cut off."""
    rng, steps = np.random.default_rng(seed), []
    now = rng.normal(size=(2, 3)).astype(np.float32)
    for _ in range(count):
        after, first = rng.normal(size=(2, 2, 3)).astype(np.float32)
        terminated = rng.random(2) < 0.15
        truncated = ~terminated & (rng.random(2) < 0.15)
        steps.append(Experience(now, rng.integers(0, 2, 2), rng.normal(size=2), after, terminated, truncated))
        now = np.where((terminated | truncated)[:, None], first, after)
    return steps


def two_lines(capsys) -> tuple[str, str]:
    """The error that was printed: one line about what is wrong, one about what to do."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and lines[0].startswith("error: ") and lines[1].startswith("  "), lines
    return lines[0], lines[1]


def run_folder_in(out: Path, pattern: str = "*__*") -> Path:
    """The only run's folder in `out`."""
    (folder,) = (path for path in out.glob(pattern) if path.is_dir())
    return folder


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a table, without the comments of monitor.csv."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def check_gradient(agent: Any, gradient: np.ndarray, loss: Any) -> None:
    """Compare the eight largest parts with finite differences of `loss()`; float32 is exact enough there."""
    params = agent.model.params
    for index in np.argsort(np.abs(gradient))[-8:]:
        kept, sides = params[index], []
        for change in (1e-3, -1e-3):
            params[index] = kept + change
            sides.append(loss())
        params[index] = kept
        np.testing.assert_allclose(gradient[index], (sides[0] - sides[1]) / 2e-3, rtol=0.02)
