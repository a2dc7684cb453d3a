"""NativeVectorEnv: N games over a compiled simulator, and the protocol that all of them follow.

A game is one row of floats in `states` (N, columns). One compiled call moves all rows.

A step. `step(actions)` returns fresh arrays, safe to keep: observations (N, ...), rewards (N,) float64,
terminated (N,) bool, truncated (N,) bool, infos. The time limit is counted here. A game may be terminated and
truncated in the same step.

An end (autoreset mode SAME_STEP). A game that ends restarts within that step: its row of observations is the
first one of its next game. Only then do infos hold
    "final_obs"    (N, ...)  the last observation of each game that ended; the other rows are zero
    "_final_obs"   (N,) bool which games ended
    "final_info"   the environment's figures of the ended games, if it has any; "_final_info" is their mask

Randomness. One generator, `np_random`, serves all N games in their order: one seed fixes everything.

Saving. `get_state()` returns
    "states"       (N, columns) float64, a copy
    "np_random"    the state of the generator: a dict of strings and Python ints, which JSON can hold
`set_state` of that on any environment of the same kind and size makes both continue identically, time limits
included. `observe()` returns the observation that belongs to the state.
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

from nnlite.arrays import Array

# What a step kernel returns: the sum of the first two, or the third. Each simulator repeats the numbers,
# because numba's cache notices changes of the simulator's own file only.
SPAWNED, ENDED, BAD_ACTION = 1, 2, -1


class NativeVectorEnv(VectorEnv):
    """N games over a compiled simulator. A subclass defines how games start, look and move.

    num_envs           N
    max_episode_steps  time limit of a game in steps; None: no limit
    observation_space, action_space  of one game
    columns            floats in the state of one game

    states   (N, columns) float64  the games
    actions  (N,) int64            what `move` does next
    """

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
        self.actions = np.zeros(num_envs, dtype=np.int64)
        self._limit = sys.maxsize if max_episode_steps is None else max_episode_steps
        self._observation_shape = (num_envs, *(observation_space.shape or ()))
        self._observation_dtype = observation_space.dtype
        self._started = False

    def start_games(self, games: Array | slice) -> None:
        """Put these rows of `states` at the start of a game, drawing from `np_random`."""
        raise NotImplementedError

    def observe(self, games: Array | slice = slice(None)) -> Array:
        """Return the current observations of these games, a fresh array (number of games, ...)."""
        raise NotImplementedError

    def draw_ahead(self) -> None:
        """Replace the random numbers that a step used up; called when the kernel returns SPAWNED."""

    def final_info(self, ended: Array) -> dict[str, Array]:
        """Return figures of the games that ended, arrays of shape (N,); called before they restart."""
        return {}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Start all N games; `seed` fixes them all. Raises ValueError for options: there are none."""
        reject_options(options)
        super().reset(seed=seed)
        self._started = True
        self.start_games(slice(None))
        return self.observe(), {}

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Move every game by its action; see the module for the returned values.

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
            self.states, self.actions, self._limit, observations, rewards, terminated, truncated
        )
        infos: dict[str, Any] = {}
        if events:
            self.react(events, self.actions)
            if events & ENDED:
                infos = self._restart(observations, terminated | truncated)
        return observations, rewards, terminated, truncated, infos

    def react(self, events: int, actions: Any) -> None:
        """Draw the random numbers that a step used up; raise InvalidAction if it was refused.

        events   flags of the kernel
        actions  as the caller gave them, for the error
        """
        if events == BAD_ACTION:
            names = self.metadata.get("action_names") or ()
            known = ", ".join(f"{i} ({name})" for i, name in enumerate(names))
            known = known or f"0..{self.single_action_space.n - 1}"
            raise InvalidAction(f"each action must be one of {known}, not {actions!r}")
        if events & SPAWNED:
            self.draw_ahead()

    def _take(self, actions: Array) -> None:
        """Copy the actions into an int64 array, so that the kernel is compiled for one type only."""
        actions = np.asarray(actions)
        if actions.shape != self.actions.shape or actions.dtype.kind not in "iu":
            raise InvalidAction(
                f"step() needs {self.num_envs} integer actions, one for each game, "
                f"not an array of shape {actions.shape} and type {actions.dtype}"
            )
        self.actions[:] = actions

    def _restart(self, observations: Array, ended: Array) -> dict[str, Any]:
        """Restart the ended games, replacing their rows of `observations`; return the infos of their ends."""
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
        """Return everything that the next step depends on; see the module."""
        return {"states": self.states.copy(), "np_random": self.np_random.bit_generator.state}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue from the result of `get_state`.

        Raises ValueError when it belongs to another kind of environment or number of games.
        """
        saved = np.asarray(state["states"])
        if saved.shape != self.states.shape:
            raise ValueError(
                f"the saved games have shape {saved.shape}, this environment has {self.states.shape}"
            )
        self.np_random.bit_generator.state = state["np_random"]
        self.states[:] = saved
        self._started = True


def reject_options(options: dict[str, Any] | None) -> None:
    """Raise ValueError for reset options: there are none, and a misspelt one must not pass in silence."""
    if options:
        raise ValueError(f"reset() has no options, but was given {sorted(options)}")
