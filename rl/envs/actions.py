"""The names of an environment's actions: "left", "right"."""

from __future__ import annotations

from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import VectorEnv

FOREIGN_NAMES = {  # of Gymnasium's environments that do not name their actions
    "Acrobot": ("left", "none", "right"),
    "CartPole": ("left", "right"),
    "CliffWalking": ("up", "right", "down", "left"),
    "FrozenLake": ("left", "down", "right", "up"),
    "LunarLander": ("none", "left", "main", "right"),
    "MountainCar": ("left", "none", "right"),
}


def action_names(env: gymnasium.Env[Any, Any] | VectorEnv) -> tuple[str, ...]:
    """Return a word for each action: the environment's own, that of the table above, or its number.

    An environment names its actions in metadata["action_names"], or as Atari games do by
    `get_action_meanings`.
    """
    space: Any = env.single_action_space if isinstance(env, VectorEnv) else env.action_space
    numbers = tuple(str(int(space.start) + index) for index in range(int(space.n)))
    game, spec = _one_game(env), spec_of(env)
    if hasattr(game, "get_action_meanings"):
        names = tuple(game.get_action_meanings())
    else:
        names = env.metadata.get("action_names") or FOREIGN_NAMES.get(spec.name if spec else "", ())
    return tuple(name.lower() for name in names) if len(names) == len(numbers) else numbers


def spec_of(env: gymnasium.Env[Any, Any] | VectorEnv) -> EnvSpec | None:
    """Return the registration of these games, None when they have none."""
    spec: EnvSpec | None = _one_game(env).spec
    return spec


def _one_game(env: gymnasium.Env[Any, Any] | VectorEnv) -> Any:
    """The environment inside all wrappers; of a SyncVectorEnv its first game."""
    inside: Any = env.unwrapped
    games = getattr(inside, "envs", None)
    return games[0].unwrapped if games else inside
