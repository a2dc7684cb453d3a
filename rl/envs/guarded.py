"""Guards around environments that are not ours: errors name the environment that made the mistake.

A GuardedEnv is one game, a GuardedVector N of them. Our own simulators have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import SyncVectorEnv, VectorEnv, VectorWrapper

from nnlite.arrays import Array
from rl.command.errors import ANYTHING, EnvironmentFault, TwoLines
from rl.command.notes import extra
from rl.envs.faults import Env, name_of, raised, telling, wrong
from rl.envs.misfit import NUMBER_KINDS, is_flag, is_number, is_row, misfit, short

PAIR = "(observation, info)"
FIVE = "(observation, reward, terminated, truncated, info)"
SPACE = "return an observation of its observation_space, or announce another space"
REWARDS, FLAGS = (float, int, np.float64, np.float32, np.int64), (bool, np.bool_)


class GuardedEnv(gymnasium.Wrapper[Any, Any, Any, Any]):
    """One game, whose exceptions and wrong values become EnvironmentFault.

    metadata  a copy; empty if the environment's own is no dict
    """

    def __init__(self, env: Env) -> None:
        require_spaces(env, "observation_space", "action_space")
        super().__init__(env)
        self.metadata = dict(env.metadata) if isinstance(env.metadata, Mapping) else {}
        self.steps = 0  # ever taken
        self._space = self.observation_space
        is_box = isinstance(self._space, spaces.Box)
        self._shape, self._dtype = (self._space.shape, self._space.dtype) if is_box else (None, None)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        with telling(self, "reset()"):
            result = self.env.reset(seed=seed, options=options)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise wrong(self, "reset()", count(result), f"return {PAIR}")
        observation, info = result
        self._check_observation("reset()", observation)
        if not isinstance(info, dict):
            raise wrong(self, "reset()", f"{short(info)} as info", f"return {PAIR}, info is a dict")
        return observation, info

    def step(self, action: Any) -> Any:
        self.steps += 1
        try:
            result = self.env.step(action)
        except TwoLines:
            raise
        except ANYTHING as problem:
            raise raised(self, self._call, problem) from problem
        if type(result) is tuple and len(result) == 5:
            observation, reward, terminated, truncated, info = result
            if (
                type(observation) is np.ndarray
                and observation.shape == self._shape
                and observation.dtype == self._dtype
                and type(reward) in REWARDS
                and type(terminated) in FLAGS
                and type(truncated) in FLAGS
                and type(info) is dict
            ):
                return result
        return self._checked(result)

    @property
    def _call(self) -> str:
        return f"step(action) at its step {self.steps:,}"

    def _checked(self, result: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Check the parts of a step one by one."""
        if not isinstance(result, (tuple, list)) or len(result) != 5:
            raise wrong(self, self._call, count(result), f"return {FIVE}")
        observation, reward, terminated, truncated, info = result
        self._check_observation(self._call, observation)
        for name, value in (("terminated", terminated), ("truncated", truncated)):
            if not is_flag(value):
                raise wrong(self, self._call, f"{short(value)} as {name}", f"{name} is True or False")
        if not is_number(reward):
            raise wrong(self, self._call, f"{short(reward)} as reward", "the reward is one number")
        if not isinstance(info, dict):
            raise wrong(self, self._call, f"{short(info)} as info", f"return {FIVE}, info is a dict")
        return observation, reward, bool(terminated), bool(truncated), info

    def _check_observation(self, call: str, observation: Any) -> None:
        fault = misfit(self._space, observation)
        if fault:
            raise wrong(self, call, f"an observation of {fault}", SPACE)

    def close(self) -> None:
        """Close the game; one that fails at it is noted, because nothing is lost."""
        with extra("not closed"), telling(self, "close()"):
            self.env.close()


def require_spaces(env: Env | VectorEnv, *names: str) -> None:
    """Raise EnvironmentFault unless these attributes of the environment are spaces."""
    for name in names:
        if not isinstance(getattr(env, name, None), spaces.Space):
            what = f"the environment {name_of(env)} has no {name}"
            raise EnvironmentFault(what, f"set self.{name} to one of gymnasium.spaces in __init__")


def guard(env: Env) -> Env:
    """Guard a game, and inside its wrappers the environment itself: a wrapper fails at what it is given."""
    above, inside = None, env
    while isinstance(inside, gymnasium.Wrapper):
        if isinstance(inside, GuardedEnv):
            return env
        above, inside = inside, inside.env
    if above is not None:
        above.env = GuardedEnv(inside)
    return GuardedEnv(env)


def count(result: Any) -> str:
    """Describe what came back in place of a tuple."""
    return f"{len(result)} values" if isinstance(result, (tuple, list)) else short(result)


class GuardedVector(VectorWrapper):
    """N games whose mistakes become EnvironmentFault, and whose actions count from 0.

    The environment receives start + index, for actions Discrete(n, start). The games of a SyncVectorEnv have
    guards of their own; what another vector environment returns is checked here.
    """

    def __init__(self, env: VectorEnv) -> None:
        super().__init__(env)
        games = env.unwrapped
        if isinstance(games, SyncVectorEnv):
            games.envs = [guard(game) for game in games.envs]
        actions = env.single_action_space
        self.start = int(actions.start) if isinstance(actions, spaces.Discrete) else 0
        self._judges = not isinstance(env, SyncVectorEnv)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        with telling(self, "reset()"):
            result = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]
        if self._judges:
            if not isinstance(result, tuple) or len(result) != 2:
                raise wrong(self, "reset()", count(result), f"return {PAIR}")
            self._check_observations("reset()", result[0])
        return result

    def step(self, actions: Array) -> tuple[Any, Array, Array, Array, dict[str, Any]]:
        try:
            result = self.env.step(np.asarray(actions) + self.start if self.start else actions)
        except TwoLines:
            raise
        except ANYTHING as problem:
            raise raised(self, "step(actions)", problem) from problem
        if self._judges:
            self._check(result)
        return result

    def _check(self, result: Any) -> None:
        """Check a step of a vector environment of the user's own."""
        call, games = "step(actions)", self.num_envs
        if not isinstance(result, tuple) or len(result) != 5:
            raise wrong(self, call, count(result), f"return {FIVE}")
        observations, rewards, terminated, truncated, info = result
        self._check_observations(call, observations)
        for name, values in (("rewards", rewards), ("terminated", terminated), ("truncated", truncated)):
            kinds, of = (NUMBER_KINDS, "numbers") if name == "rewards" else ("b", "True or False")
            if not is_row(values, games, kinds):
                raise wrong(
                    self, call, f"{short(values)} as {name}", f"{name} is an array ({games},) of {of}"
                )
        if not isinstance(info, dict):
            raise wrong(self, call, f"{short(info)} as infos", f"return {FIVE}, info is a dict")
        ended = np.flatnonzero(terminated | truncated)
        if len(ended) and "final_obs" not in info:
            expected = (
                "with SAME_STEP, infos['final_obs'] holds the last observations of the games that ended"
            )
            raise wrong(self, call, "no final_obs for a game that ended", expected)
        for game in ended:
            fault = misfit(self.env.single_observation_space, info["final_obs"][game])
            if fault:
                raise wrong(self, call, f"final_obs of {fault}", SPACE)

    def _check_observations(self, call: str, observations: Any) -> None:
        fault = misfit(self.env.observation_space, observations)
        if fault:
            raise wrong(self, call, f"observations of {fault}", SPACE)

    def close(self, **kwargs: Any) -> None:
        """Close the games; see GuardedEnv.close."""
        with extra("not closed"), telling(self, "close()"):
            self.env.close(**kwargs)

    def get_state(self) -> dict[str, Any]:
        """Return the state of the environment."""
        return self.env.get_state()  # type: ignore[attr-defined]

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state of `get_state`."""
        self.env.set_state(state)  # type: ignore[attr-defined]
