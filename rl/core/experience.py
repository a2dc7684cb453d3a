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
    rewards: Array  # (N,) in the environment's own unit
    next_observations: Array  # (N, ...) after the action; of an ended game its last one
    terminated: Array  # (N,) bool: the game ended by its rules; do not bootstrap
    truncated: Array  # (N,) bool: a time limit ended the game; bootstrap

    @property
    def done(self) -> Array:
        """(N,) bool: terminated or truncated."""
        return self.terminated | self.truncated


def insert_final_obs(observations: Array, info: dict[str, Any], done: Array) -> Array:
    """Replace the first observation of each new game by the last one of the game that ended.

    observations  (N, ...) as the vector environment returned them (SAME_STEP: an ended game has restarted)
    info          its info, with "final_obs" where a game ended
    done          (N,) bool
    """
    if not done.any():
        return observations
    last = observations.copy()
    for game in np.flatnonzero(done):
        last[game] = info["final_obs"][game]
    return last
