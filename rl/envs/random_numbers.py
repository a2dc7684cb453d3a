"""RandomNumbers: the three draws that the readable algorithms of bandit and maze need."""

from __future__ import annotations

from typing import Any, Protocol


class RandomNumbers(Protocol):
    """A source of random numbers: np.random.Generator, or a simulation's own rl.envs.random_stream.Stream."""

    def random(self) -> float:
        """Draw a number in [0, 1)."""

    def integers(self, count: int, /) -> Any:
        """Draw a whole number from 0 to count - 1."""

    def beta(self, a: float, b: float, /) -> float:
        """Draw from the beta distribution."""
