"""What the compiled vector environments share: the protocol of a step, of an end, and of saving and resuming.

A game is one row of floats in `states` (N, columns), and one compiled call moves all of them.

A step. `step(actions)` returns fresh arrays, safe to keep: observations (N, ...), rewards (N,) float64,
terminated (N,) bool, truncated (N,) bool, infos. The time limit is counted here; a game may end in both ways
at once.

An end (autoreset mode SAME_STEP). A game that ends is restarted within that step: its row of observations is
the first one of its next game. Only then do infos hold
    "final_obs"    (N, ...)  the last observation of each game that ended; the other rows are zero
    "_final_obs"   (N,) bool which games these are
    "final_info"   what the ended games have to say, where an environment has something, with "_final_info" as
    its mask

Randomness. One generator, `np_random`, serves all N games, drawn from in their order: one seed fixes
everything.

Saving. `get_state()` returns
    "states"       (N, columns) float64, a copy
    "np_random"    the state of the generator: a dict of strings and Python ints, which JSON can hold
and `set_state` of that on any environment of the same kind and size makes both continue identically, time
limits included. The observation that belongs to it comes from `observe()`. The single environments have the
same two methods.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

SPAWNED, ENDED, BAD_ACTION = 1, 2, -1  # what a step kernel returns: a sum of the first two, or the third


class NativeVectorEnv(VectorEnv):
    """N games over a compiled simulator; a subclass says how games start, look and move."""

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}

    # kernel(states, actions, limit, observations, rewards, terminated, truncated) -> flags
    step_games: Callable[..., int]

    def __init__(
        self,
        num_envs: int,
        max_episode_steps: int | None,
        observation_space: spaces.Space[Any],
        action_space: spaces.Discrete,
        columns: int,
    ) -> None:
        self.num_envs = num_envs
        self.max_episode_steps = max_episode_steps
        self.single_observation_space = observation_space
        self.single_action_space: spaces.Discrete = action_space
        self.observation_space = batch_space(observation_space, num_envs)
        self.action_space = batch_space(action_space, num_envs)
        self.states = np.zeros((num_envs, columns))
        self._actions = np.zeros(num_envs, dtype=np.int64)
        self._limit = sys.maxsize if max_episode_steps is None else max_episode_steps
        self._observation_shape = (num_envs, *(observation_space.shape or ()))
        self._observation_dtype = observation_space.dtype
        self._started = False

    def start_games(self, games: np.ndarray | slice) -> None:
        """Put these rows of `states` at the start of a game, drawing from `np_random`."""
        raise NotImplementedError

    def observe(self, games: np.ndarray | slice = slice(None)) -> np.ndarray:
        """What these games show now, a fresh array (number of games, ...)."""
        raise NotImplementedError

    def draw_ahead(self) -> None:
        """Draw what the games have used up in a step; for simulators whose kernel returns SPAWNED."""

    def final_info(self, ended: np.ndarray) -> dict[str, np.ndarray]:
        """What to report of the games that ended, arrays of shape (N,); read before they start again."""
        return {}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start all N games; `seed` fixes them all. Raises ValueError for options: there are none."""
        reject_options(options)
        super().reset(seed=seed)
        self._started = True
        self.start_games(slice(None))
        return self.observe(), {}

    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Move every game by its action; see the module for what comes back.

        Raises InvalidAction, and moves no game, unless there is one valid action for each.
        """
        if not self._started:
            raise ResetNeeded("the games have not begun: call reset() before step()")
        self._take(actions)
        observations = np.empty(self._observation_shape, self._observation_dtype)
        rewards = np.empty(self.num_envs)
        terminated = np.empty(self.num_envs, dtype=np.bool_)
        truncated = np.empty(self.num_envs, dtype=np.bool_)
        events = self.step_games(
            self.states, self._actions, self._limit, observations, rewards, terminated, truncated
        )
        if events == BAD_ACTION:
            raise InvalidAction(
                f"each action must be one of 0..{self.single_action_space.n - 1}, not {actions!r}"
            )
        infos: dict[str, Any] = {}
        if events & SPAWNED:
            self.draw_ahead()
        if events & ENDED:
            infos = self._restart(observations, terminated | truncated)
        return observations, rewards, terminated, truncated, infos

    def _take(self, actions: np.ndarray) -> None:
        """Copy the actions into our own int64 array: the kernel then meets one type only, and is compiled
        once.
        """
        actions = np.asarray(actions)
        if actions.shape != self._actions.shape or actions.dtype.kind not in "iu":
            raise InvalidAction(
                f"step() needs {self.num_envs} integer actions, one for each game, "
                f"not an array of shape {actions.shape} and type {actions.dtype}"
            )
        self._actions[:] = actions

    def _restart(self, observations: np.ndarray, ended: np.ndarray) -> dict[str, Any]:
        """Start the ended games again, replacing their rows of `observations`; returns the infos of their
        ends.
        """
        games = np.flatnonzero(ended)
        final_obs = np.zeros(self._observation_shape, self._observation_dtype)
        final_obs[games] = observations[games]
        infos: dict[str, Any] = {"final_obs": final_obs, "_final_obs": ended}
        if final_info := self.final_info(ended):
            infos |= {"final_info": final_info, "_final_info": ended.copy()}
        self.start_games(games)
        observations[games] = self.observe(games)
        return infos

    def get_state(self) -> dict[str, Any]:
        """Everything that decides how the games go on; see the module."""
        return pack_state(self.states, self.np_random)

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned.

        Raises ValueError when it is of another kind or number of games.
        """
        unpack_state(state, self.states, self.np_random)
        self._started = True


def pack_state(states: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """The dict of `get_state`."""
    return {"states": states.copy(), "np_random": rng.bit_generator.state}


def unpack_state(state: dict[str, Any], states: np.ndarray, rng: np.random.Generator) -> None:
    """Write a dict of `get_state` back into `states` and `rng`."""
    saved = np.asarray(state["states"])
    if saved.shape != states.shape:
        raise ValueError(f"the saved games have shape {saved.shape}, this environment has {states.shape}")
    rng.bit_generator.state = state["np_random"]
    states[:] = saved


def reject_options(options: dict[str, Any] | None) -> None:
    """Raise ValueError for a reset option: these environments have none, and a misspelt one must not pass."""
    if options:
        raise ValueError(f"reset() has no options, but was given {sorted(options)}")
