"""`make_vector`: make N games of one environment from its id."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from rl.command.errors import EnvironmentFault, UsageError
from rl.envs.faults import MAKING, Env, telling
from rl.envs.foreign import ATARI, make_foreign, register_atari
from rl.envs.guarded import GuardedVector
from rl.envs.repeat import repeated

CARTPOLE = ("CartPole-v0", "CartPole-v1")  # Gymnasium's, played by rl.envs.cartpole
OWN_PACKAGE = "rl.envs."


def make_vector(
    env_id: str, num_envs: int, *, max_episode_steps: int | None = None, action_repeat: int = 1, **kwargs: Any
) -> VectorEnv:
    """Make N games of an environment; a game restarts within the step that ends it (SAME_STEP).

    env_id             an id known to Gymnasium; "module:ID" imports the module first, which registers the id
    num_envs           N >= 1, the number of games
    max_episode_steps  the time limit of a game, in steps; None keeps the environment's own
    action_repeat      steps of the game that one action lasts; rewards are summed
    kwargs             arguments of the environment, render_mode for example

    Our own environments and CartPole are compiled: one call moves all N games. Any other one, and every one
    with a render_mode or repeated actions, is N Gymnasium environments in a SyncVectorEnv. Atari games come
    with the usual preprocessing (rl.envs.foreign).

    Seeds go to `reset(seed=...)`. In the step that ends game i, its last observation is
    infos["final_obs"][i]. Only the compiled ones have `get_state` and `set_state`.

    Raises UsageError when the id is unknown, when what the environment needs is not installed, or when its
    actions are not Discrete; EnvironmentFault when its own code fails.
    """
    if num_envs < 1:
        raise UsageError(f"num_envs is {num_envs}", "ask for at least one game")
    if max_episode_steps is not None and max_episode_steps < 1:
        raise UsageError(
            f"max_episode_steps is {max_episode_steps}", "give 1 or more, or None for the usual limit"
        )
    if env_id in CARTPOLE and not kwargs and action_repeat == 1:  # with keywords, CartPole is Gymnasium's
        return _make_cartpole(env_id, num_envs, max_episode_steps)
    envs = _make(env_id, num_envs, max_episode_steps, action_repeat, kwargs)
    try:
        actions_of(envs)
    except UsageError as problem:
        envs.close()
        raise UsageError(f"the actions of {env_id!r} are {problem.args[0]}", problem.args[1]) from None
    return envs


def _make_cartpole(env_id: str, num_envs: int, max_episode_steps: int | None) -> VectorEnv:
    from rl.envs.cartpole import CartPoleVectorEnv  # numba is imported with the first game

    spec = gymnasium.spec(env_id)
    envs = CartPoleVectorEnv(num_envs, max_episode_steps or spec.max_episode_steps)
    envs.spec = spec
    return envs


def _make(
    env_id: str, num_envs: int, max_episode_steps: int | None, action_repeat: int, kwargs: dict[str, Any]
) -> VectorEnv:
    if max_episode_steps is not None:
        kwargs = {**kwargs, "max_episode_steps": max_episode_steps}
    spec = _find(env_id)
    compiled = kwargs.get("render_mode") is None and action_repeat == 1
    if (
        compiled
        and isinstance(spec.vector_entry_point, str)
        and spec.vector_entry_point.startswith(OWN_PACKAGE)
    ):
        return gymnasium.make_vec(spec.id, num_envs, vectorization_mode="vector_entry_point", **kwargs)

    def make() -> Env:
        with telling(env_id, MAKING):
            try:
                return repeated(make_foreign(spec.id, **kwargs), action_repeat)
            except (gymnasium.error.DependencyNotInstalled, ImportError) as problem:
                raise _why_not(env_id, problem) from problem

    return GuardedVector(sync([make] * num_envs))


def _find(env_id: str) -> EnvSpec:
    """Import the module that an id names, and return the registration."""
    module, _, name = env_id.rpartition(":")
    with telling(env_id, f"its module {module}"):
        try:
            if module:
                importlib.import_module(module)
            if name.startswith(ATARI):
                register_atari()
            return gymnasium.spec(name)
        except (gymnasium.error.Error, ModuleNotFoundError) as problem:
            raise _why_not(env_id, problem) from problem


def sync(makers: Sequence[Callable[[], Env]]) -> SyncVectorEnv:
    """Make games that restart in the step that ends them."""
    try:
        return SyncVectorEnv(list(makers), autoreset_mode=AutoresetMode.SAME_STEP)
    except RuntimeError as problem:  # of SyncVectorEnv: the spaces of the games differ
        if isinstance(problem, EnvironmentFault):
            raise
        reason = str(problem).splitlines()[0]
        raise UsageError(f"the games differ: {reason}", "give all the same spaces") from problem


def _why_not(env_id: str, problem: Exception) -> UsageError:
    """The error for an environment that cannot be made."""
    unknown = (gymnasium.error.UnregisteredEnv, gymnasium.error.DeprecatedEnv, ModuleNotFoundError)
    reason = " ".join(str(problem).split())  # one line
    if isinstance(problem, unknown) or "Malformed" in reason:
        what = f"there is no environment {env_id!r}: {reason}"
        others = "rl/Catcher-v0, CartPole-v1, another id of gymnasium.pprint_registry()"
        return UsageError(what, f"use {others}, or your own as module:ID")
    what = f"the environment {env_id!r} cannot be made: {reason}"
    return UsageError(what, "install what it asks for, or use rl/Catcher-v0 or CartPole-v1")


def actions_of(envs: VectorEnv) -> gymnasium.spaces.Discrete:
    """Return the action space of one game. Raises UsageError unless it is Discrete."""
    actions = envs.single_action_space
    if isinstance(actions, gymnasium.spaces.Discrete):
        return actions
    raise UsageError(
        f"{actions}, and these agents choose one of n actions",
        "use one with a Discrete(n) action space, CartPole-v1 for example, or wrap yours so that it has one",
    )
