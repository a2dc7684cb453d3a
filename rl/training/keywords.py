"""Settings that are given as keywords in Python, with what their environment decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import gymnasium
from gymnasium.vector import VectorEnv

from rl.command.errors import require
from rl.command.settings import AgentSettings, check_values
from rl.envs.faults import GivenEnv, name_of
from rl.envs.given import defaults_for

S = TypeVar("S", bound=AgentSettings)
ELSEWHERE = {  # settings that are arguments of methods in Python, or flags of the command alone
    "env_id": "it is the first argument",
    "total_timesteps": "it is an argument of learn",
    "out": "name the folder in learn(run=...)",
    "resume": "rl.load(folder) loads a run",
    "play": "call play()",
    "config": "rl.load(folder) loads a run",
    "test": "give the environment and its settings",
}


def settings_from(settings_class: type[S], env: GivenEnv, keywords: Mapping[str, Any]) -> S:
    """Make settings from keywords; those not given have the defaults for what the environment shows.

    Raises UsageError for names that are no settings in Python, and for values of another type.
    """
    for name, remedy in ELSEWHERE.items():
        require(name not in keywords, f"{name} is no setting in Python", remedy)
    fixed = fixed_by(env)
    for name in ("num_envs", "max_episode_steps"):
        clash = name in fixed and keywords.get(name, fixed[name]) != fixed[name]
        require(not clash, f"{name} is {keywords.get(name)}, and the environment fixes it", "leave it away")
    values = defaults_for(settings_class, env) | check_values(settings_class, keywords) | fixed
    return settings_class(**values)


def fixed_by(env: GivenEnv) -> dict[str, Any]:
    """The settings that an environment decides: its name, and of a ready one the number of games."""
    values: dict[str, Any] = {"env_id": name_of(env)}
    if isinstance(env, VectorEnv):
        values |= {"num_envs": env.num_envs, "max_episode_steps": 0}
    elif isinstance(env, gymnasium.Env):
        values["num_envs"] = 1
    return values
