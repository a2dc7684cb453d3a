"""When an environment counts as solved, and how two evaluations of it compare.

Catcher is judged by its misses, for a perfect player's mean return depends on the luck of the spawns: every
game runs to its time limit and at most 2 fruits are missed in all 20 games. Any other environment is judged
by the mean return, against Gymnasium's `reward_threshold` where it has one.
"""

from __future__ import annotations

from dataclasses import dataclass

import gymnasium
import numpy as np


@dataclass(frozen=True)
class Goal:
    """What an evaluation is held against.

    text        how the goal is told to a reader
    threshold   mean return that counts as solved; None when no return does
    max_misses  penalised steps (reward < 0) allowed over all games, each of which must reach its time limit;
                None: no matter
    """

    text: str
    threshold: float | None = None
    max_misses: int | None = None

    def hopeless(self, misses: int) -> bool:
        """An evaluation may stop here: the goal is out of its reach."""
        return self.max_misses is not None and misses > self.max_misses

    def solved(self, returns: np.ndarray, misses: int, cut_off: bool) -> bool:
        """returns (games,); cut_off: every game reached its time limit."""
        if self.max_misses is not None:
            return cut_off and misses <= self.max_misses
        return self.threshold is not None and float(np.mean(returns)) >= self.threshold

    def score(self, returns: np.ndarray, catches: int, misses: int) -> float:
        """The larger the better: the share of fruits caught, or the mean return."""
        if self.max_misses is not None:
            return catches / max(catches + misses, 1)
        return float(np.mean(returns)) if len(returns) else -np.inf


def goal_of(env_id: str) -> Goal:
    """The goal of this environment."""
    if env_id.endswith("rl/Catcher-v0"):
        return Goal("20 games to the time limit with at most 2 misses in all", max_misses=2)
    if env_id in ("CartPole-v0", "CartPole-v1"):
        threshold: float | None = {"CartPole-v0": 195.0, "CartPole-v1": 475.0}[env_id]
    else:
        threshold = gymnasium.spec(env_id.rpartition(":")[2]).reward_threshold
    return Goal(
        "best mean return" if threshold is None else f"mean return >= {threshold:g}", threshold=threshold
    )
