"""Environments as a user gives them: an id, an environment, a function that makes one, a vector
environment.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, VectorEnv
from gymnasium.wrappers import TimeLimit

from rl.command.errors import UsageError, require
from rl.command.settings import AgentSettings
from rl.envs.actions import spec_of
from rl.envs.faults import MAKING, Env, GivenEnv, telling
from rl.envs.guarded import GuardedVector, guard, require_spaces
from rl.envs.make import actions_of, make_vector, sync
from rl.envs.native_vector import NativeVectorEnv
from rl.envs.repeat import repeated

Kind = Literal["vectors", "labels", "screens"]  # what is observed; a field of Elsewhere


def vector_of(
    env: GivenEnv, num_envs: int, max_episode_steps: int = 0, action_repeat: int = 1, **options: Any
) -> VectorEnv:
    """Make N games of what a user gives, each restarted within the step that ends it (SAME_STEP).

    env                an id; an environment, which is one game; a function that makes one; a vector
                       environment
    max_episode_steps  the time limit; 0 keeps the environment's own
    action_repeat      steps of the game that one action lasts
    options            arguments of an environment that is made by its id, render_mode for example

    Raises UsageError when that cannot be, EnvironmentFault when the environment's own code fails.
    """
    if isinstance(env, str):
        limit = max_episode_steps or None
        return make_vector(env, num_envs, max_episode_steps=limit, action_repeat=action_repeat, **options)
    if isinstance(env, VectorEnv):
        envs = env
        what, remedy = "a vector environment cannot repeat actions", "repeat them in its games"
        require(action_repeat == 1, what, remedy)
        require_spaces(env, "single_observation_space", "observation_space", "single_action_space")
        require(
            num_envs == env.num_envs, f"{num_envs} games are wanted of {env.num_envs}", "leave num_envs away"
        )
        mode = (env.metadata or {}).get("autoreset_mode")
        remedy = "make it with autoreset_mode=AutoresetMode.SAME_STEP"
        require(mode == AutoresetMode.SAME_STEP, f"the vector environment restarts games by {mode}", remedy)
    else:
        envs = sync([_maker(env, num_envs, max_episode_steps, action_repeat)] * num_envs)
    actions_of(envs)
    return envs if isinstance(envs, (NativeVectorEnv, GuardedVector)) else GuardedVector(envs)


def _maker(
    env: Env | Callable[[], Env], num_envs: int, max_episode_steps: int, action_repeat: int
) -> Callable[[], Env]:
    """A function that makes one game."""

    def make() -> Env:
        with telling(env, MAKING):
            game = env if isinstance(env, gymnasium.Env) else env()
        require(
            isinstance(game, gymnasium.Env),
            f"the function made {type(game).__name__}",
            "return a gymnasium.Env",
        )
        limited = TimeLimit(game, max_episode_steps) if max_episode_steps else game
        return repeated(guard(limited), action_repeat)

    what = f"env is {type(env).__name__}"
    require(
        isinstance(env, gymnasium.Env) or callable(env),
        what,
        "give an id, an environment, or a function that makes one",
    )
    one = num_envs == 1 or not isinstance(env, gymnasium.Env)
    require(one, f"one environment cannot play {num_envs} games", "give a function that makes one")
    return make


def copy_of(env: GivenEnv) -> GivenEnv:
    """The same for games apart from these, evaluations for example.

    An environment is copied; raises UsageError when that cannot be. Of games in other processes, which
    cannot be copied, new ones are made in this one.
    """
    if not isinstance(env, (gymnasium.Env, VectorEnv)):
        return env
    if isinstance(env, AsyncVectorEnv):
        return sync(env.env_fns)
    try:
        return copy.deepcopy(env)
    except Exception as problem:  # whatever an environment's parts answer to being copied
        what = f"{type(env).__name__} cannot be copied for evaluations: {problem}"
        raise UsageError(what, "give a function that makes one") from None


def kind_of(envs: VectorEnv) -> Kind:
    """Return what the games show: screens (H, W, C) of bytes, labels, or else vectors."""
    space = envs.single_observation_space
    if isinstance(space, gymnasium.spaces.Discrete):
        return "labels"
    screens = isinstance(space, gymnasium.spaces.Box) and space.dtype == np.uint8 and len(space.shape) == 3
    return "screens" if screens else "vectors"


def defaults_for(settings_class: type[AgentSettings], env: GivenEnv) -> dict[str, Any]:
    """Return the settings whose defaults are others on this environment, by what it shows.

    The class's own defaults belong to the environment of its article. Raises the errors of vector_of.
    """
    home = settings_class().env_id
    if env == home:
        return {}
    envs = env if isinstance(env, VectorEnv) else vector_of(env, 1)
    try:
        spec = spec_of(envs)
        at_home = spec is not None and spec.id == home
        return {} if at_home else dict(getattr(settings_class.elsewhere, kind_of(envs)))
    finally:
        if not isinstance(env, (gymnasium.Env, VectorEnv)):  # those are the user's
            envs.close()
