"""One step of N parallel games.

The articles' Experience(s, a, r, n_s, d) holds one step of one game. Here d is split into `terminated` and
`truncated`, which need different targets.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nnlite.arrays import Array


class Experience(NamedTuple):
    """N transitions, one of each game."""

    observations: Array  # (N, ...) before the action
    actions: Array  # (N,) int64
    rewards: Array  # (N,)
    next_observations: Array  # (N, ...) after the action; the last one of an ended game
    terminated: Array  # (N,) bool: the game ended by its rules; do not bootstrap
    truncated: Array  # (N,) bool: a time limit ended the game; bootstrap

    @property
    def done(self) -> Array:
        """(N,) bool: terminated or truncated."""
        return self.terminated | self.truncated


def insert_final_obs(observations: Array, info: dict[str, Any], done: Array) -> Array:
    """Return the observations after a step, with the last one of every game that ended in it.

    observations  (N, ...) of the vector environment; an ended game has already restarted (SAME_STEP)
    info          of the same step, with "final_obs" where a game ended
    done          (N,) bool
    """
    if not done.any():
        return observations
    last = observations.copy()
    for game in np.flatnonzero(done):
        last[game] = info["final_obs"][game]
    return last
