"""Experience: one step of N parallel games, as the agents observe it.

The articles' Experience(s, a, r, n_s, d) held one game's step; d is now two things that must not be confused.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nnlite.arrays import Array


class Experience(NamedTuple):
    """N transitions, one of each game."""

    observations: Array  # (N, ...) what was acted on
    actions: Array  # (N,) int64
    rewards: Array  # (N,) in the environment's own unit
    next_observations: Array  # (N, ...) the real next one, also where the game ended
    terminated: Array  # (N,) bool: the game ended for good, nothing follows
    truncated: Array  # (N,) bool: a time limit cut it off, more would have followed

    @property
    def done(self) -> Array:
        """(N,) bool: the game is over, one way or the other."""
        return self.terminated | self.truncated


def real_next(observations: Array, info: dict[str, Any], done: Array) -> Array:
    """The observations that a step led to: of games that ended their last one, not the first of the next
    game.

    observations  (N, ...) what the vector environment returned (SAME_STEP: a new game's first for those that
                  ended)
    info          its info, with "final_obs" where a game ended
    done          (N,) bool
    """
    if not done.any():
        return observations
    last = observations.copy()
    for game in np.flatnonzero(done):
        last[game] = info["final_obs"][game]
    return last
