"""Environments that make mistakes, and how tests train on them by the library and by the command."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from rl import dqn
from tests.rl.games import Game

FEW = {"learning_starts": 4, "batch_size": 4, "eval_freq": 0, "eval_episodes": 1}
STEPS = 12
VECTOR = np.zeros(3, np.float32)


class World(Game):
    """A game of five steps that is as it should be."""

    observation_space: spaces.Space = spaces.Box(-1, 1, (3,), np.float32)
    length = 5

    def show(self) -> Any:
        return VECTOR


def changed(**members: Any) -> type[World]:
    """The same with other methods, spaces or metadata."""
    return type("World", (World,), members)


def steps(*result: Any) -> dict[str, Any]:
    """A step that returns this, a tuple or what stands alone."""
    return {"step": lambda self, action: result if len(result) != 1 else result[0]}


def resets(*result: Any) -> dict[str, Any]:
    """A reset that returns this."""
    return {"reset": lambda self, *, seed=None, options=None: result if len(result) != 1 else result[0]}


def failing(problem: BaseException) -> Callable[..., Any]:
    """A method that raises this."""

    def fail(*arguments: Any, **options: Any) -> Any:
        raise problem

    return fail


def learn(world: Any, steps: int = STEPS, **settings: Any) -> dqn.DQN:
    """Train by the library."""
    return dqn.DQN(world, **{**FEW, **settings}).learn(steps)


def command(world: Any, out: Any, *flags: str, steps: int = STEPS) -> int:
    """Train by the command on this class, registered under an id of its own; returns the exit code."""
    env_id = f"World-{id(world)}-v0"
    if env_id not in gymnasium.registry:
        gymnasium.register(env_id, world, max_episode_steps=50)
    few = [word for name, value in FEW.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    return dqn.main(["--env-id", env_id, "--total-timesteps", str(steps), "--out", str(out), *few, *flags])
