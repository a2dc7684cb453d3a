"""One run: the environments, the agents, how both sides are judged, and the figures that are kept."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

from rl.core.evaluation import Evaluation, Evaluator
from rl.core.seeding import streams
from rl.envs.goals import goal_of
from rl.envs.make import make_vector

ENVS = {  # ids by the names of the tables
    "CartPole-v1": "CartPole-v1",
    "Acrobot-v1": "Acrobot-v1",
    "MountainCar-v0": "MountainCar-v0",
    "LunarLander-v3": "LunarLander-v3",
    "FrozenLake-v1": "FrozenLake-v1",
    "Taxi-v4": "Taxi-v4",
    "Corridor": "bench.corridor:Corridor-v0",
    "Catcher": "rl/Catcher-v0",
}
LIMITS = {"Catcher": 1_000}  # steps of a game, where the registration has no limit
AGENTS = {"ours": ("DQN", "ValueFunction", "PolicyGradient", "A2C"), "sb3": ("DQN", "A2C")}
EVAL_FREQ = {"DQN": 1_000, "ValueFunction": 1_000, "PolicyGradient": 5_000, "A2C": 5_000}
EVAL_GAMES = 20
FINAL_GAMES, FINAL_SEED = 100, 1_000_000  # of the kept model; added to the seed of the run


@dataclass(frozen=True)
class Task:
    """A run that is to be made; `env` is a name of ENVS."""

    side: str
    agent: str
    env: str
    seed: int

    @property
    def env_id(self) -> str:
        """The id that Gymnasium knows."""
        return ENVS[self.env]

    @property
    def eval_freq(self) -> int:
        """Environment steps between evaluations."""
        return EVAL_FREQ[self.agent]

    def judge(self, final: bool = False) -> Evaluator:
        """Make the greedy games of this run's evaluations, or those of its kept model: on both sides the
        same.
        """
        games = FINAL_GAMES if final else EVAL_GAMES
        envs = make_vector(self.env_id, games, max_episode_steps=LIMITS.get(self.env))
        seed = FINAL_SEED + self.seed if final else streams(self.seed).evaluation
        return Evaluator(envs, games, goal_of(envs), seed)


@dataclass
class Record:
    """The figures of a run.

    steps_to_solved   environment steps at the evaluation that solved it; None: not solved
    steps, budget     environment steps that were made, and those that were allowed
    best_mean_return  of the evaluation whose model was kept; None: it finished no game
    last_mean_return  of the last evaluation
    mean_return       of the kept model, in FINAL_GAMES fresh games
    seconds           processor time of the process until the end of training, evaluations included
    learning_seconds  the same without imports
    """

    solved: bool = False
    steps_to_solved: int | None = None
    steps: int = 0
    budget: int = 0
    best_mean_return: float | None = None
    last_mean_return: float | None = None
    mean_return: float | None = None
    seconds: float = 0.0
    learning_seconds: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)

    def line(self, task: Task) -> dict[str, Any]:
        """Return the line of the file."""
        return asdict(task) | asdict(self)


def processor_seconds() -> float:
    """Return the processor time of this process and of its children so far."""
    return sum(os.times()[:4])


def mean(evaluation: Evaluation) -> float | None:
    """Return the mean return, rounded for the file; None when the goal was out of reach before a game
    ended.
    """
    return round(evaluation.mean, 4) if len(evaluation.returns) else None


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of what the run depends on."""
    found = {name: version(name) for name in (*packages, "numpy", "gymnasium")}
    return {**found, "python": platform.python_version()}
