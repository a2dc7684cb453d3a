"""A rollout: T steps of E parallel games played with the current policy, used for one update."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces

from nnlite.arrays import Array
from rl.core.experience import Experience
from rl.core.networks import observation_shape


class Rollout:
    """Preallocated arrays (T, E, ...), filled one step of all games at a time.

    length        T, steps of each game
    num_envs      E, parallel games
    observations  the space of one game's observation; bytes stay bytes

    observations (T, E, ...), actions (T, E) int64, rewards (T, E) float32, terminated and done (T, E) bool.
    """

    def __init__(self, length: int, num_envs: int, observations: spaces.Space[Any]) -> None:
        self.length, self.num_envs = length, num_envs
        self.shape = observation_shape(observations)
        dtype = np.uint8 if observations.dtype == np.uint8 else np.float32
        self.observations = np.zeros((length, num_envs, *self.shape), dtype)
        self.actions = np.zeros((length, num_envs), np.int64)
        self.rewards = np.zeros((length, num_envs), np.float32)
        self.terminated = np.zeros((length, num_envs), bool)
        self.done = np.zeros((length, num_envs), bool)
        self.following = np.zeros((num_envs, *self.shape), dtype)  # after the newest step
        self.cut: list[tuple[int, int, Array]] = []  # (t, game, last observation) of truncated games
        self.filled = 0

    @property
    def full(self) -> bool:
        """Whether T steps are stored; the next `add` then starts a new rollout."""
        return self.filled == self.length

    def add(self, experience: Experience) -> None:
        """Store one step of every game. A full rollout is emptied first."""
        if self.full:
            self.filled = 0
            self.cut.clear()
        t = self.filled
        self.observations[t] = experience.observations
        self.actions[t] = experience.actions
        self.rewards[t] = experience.rewards
        self.terminated[t] = experience.terminated
        np.logical_or(experience.terminated, experience.truncated, out=self.done[t])
        self.following[...] = experience.next_observations
        if experience.truncated.any():
            self._mark_cut(t, experience.truncated)
        self.filled += 1

    def truncate(self) -> None:
        """Mark the newest step of every unfinished game as truncated.

        Called on resume if the environment cannot be restored mid-game.
        """
        if self.full or not self.filled:
            return
        t = self.filled - 1
        self._mark_cut(t, ~self.done[t])
        self.done[t] = True

    def _mark_cut(self, t: int, truncated: Array) -> None:
        """Keep the last observations of the games that were truncated in step t; truncated is (E,) bool."""
        self.cut += [(t, int(game), self.following[game].copy()) for game in np.flatnonzero(truncated)]

    def flat_observations(self) -> Array:
        """Return the observations as (T * E, ...), for one forward pass."""
        return self.observations.reshape(-1, *self.shape)

    def next_values(self, values: Array, estimate: Callable[[Array], Array]) -> Array:
        """Return V of the next observation of every step, (T, E).

        values    (T, E) of `observations`; if a game continues, the next value is one row further down
        estimate  observations (N, ...) -> values (N,); called once, with the observations after the last step
                  and the last ones of truncated games

        Entries where the game terminated are undefined; do not use them. Raises ValueError when values are
        not (T, E).
        """
        if values.shape != self.actions.shape:
            raise ValueError(f"values {values.shape} must be (T, E) = {self.actions.shape}")
        following = np.empty_like(values)
        following[:-1] = values[1:]
        if not self.cut:
            following[-1] = estimate(self.following)
            return following
        found = estimate(np.concatenate([self.following, np.stack([last for _, _, last in self.cut])]))
        following[-1] = found[: self.num_envs]
        for (t, game, _), value in zip(self.cut, found[self.num_envs :]):
            following[t, game] = value
        return following

    STATE = ("observations", "actions", "rewards", "terminated", "done", "following")

    def get_state(self) -> dict[str, Any]:
        """Return everything stored, without copies."""
        last = np.array([last for _, _, last in self.cut], self.following.dtype)
        cut = {
            "steps": np.array([t for t, _, _ in self.cut], np.int64),
            "games": np.array([game for _, game, _ in self.cut], np.int64),
            "observations": last.reshape(-1, *self.shape),
        }
        return {**{name: getattr(self, name) for name in self.STATE}, "cut": cut, "filled": self.filled}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state of `get_state`; raises ValueError when a shape differs."""
        for name in self.STATE:
            if state[name].shape != getattr(self, name).shape:
                wanted = getattr(self, name).shape
                raise ValueError(f"the saved rollout's {name} is {state[name].shape}, not {wanted}")
        for name in self.STATE:
            getattr(self, name)[...] = state[name]
        cut = zip(*(state["cut"][name] for name in ("steps", "games", "observations")))
        self.cut = [(int(t), int(game), last.copy()) for t, game, last in cut]
        self.filled = int(state["filled"])
