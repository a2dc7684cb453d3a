"""Notice an environment in which nearly every step ends the return: then no agent learns to look ahead."""

from __future__ import annotations

import numpy as np

from nnlite.arrays import Array

STEPS = 200  # environment steps that are looked at, the first of a run
SHARE = 0.5  # of them that end the return: more are no loss of a life


class EndedReturns:
    """Counts the first steps whose negative reward ends the return of a game that goes on."""

    def __init__(self) -> None:
        self.steps = self.ended = 0

    @property
    def done(self) -> bool:
        """Enough steps are counted."""
        return self.steps >= STEPS

    def count(self, rewards: Array, terminated: Array) -> str:
        """Count a step of N games; return a line for the user when the last of them is counted, else "".

        rewards, terminated  (N,)
        """
        self.steps += len(rewards)
        self.ended += int(np.count_nonzero((rewards < 0) & ~terminated))
        if not self.done or self.ended <= SHARE * self.steps:
            return ""
        return (
            f"a negative reward ends the return, and {self.ended / self.steps:.0%} of the first {self.steps} "
            "steps have one, so nothing that comes after them is learned; give --no-life-loss-ends"
        )
