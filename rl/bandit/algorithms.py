"""Three algorithms that come after the article's: softmax, Thompson sampling, gradient bandit.

Built like EpsilonGreedy and UCB1 in rl/bandit/__init__.py: the article's four methods, and `simulate`, which
calls the compiled twin.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from nnlite.arrays import Array
from rl.envs.random_numbers import RandomNumbers


class Arm(Protocol):
    """An arm of a slot machine."""

    p: float

    def draw(self, rng: RandomNumbers) -> float:
        """Return 1 for a coin, else 0."""


class Algorithm(Protocol):
    """The article's four methods. Those of this project also have `simulate`, the compiled twin."""

    def initialize(self, n_arms: int, rng: RandomNumbers) -> None:
        """Forget everything, and draw from `rng` from now on."""

    def select_arm(self) -> int:
        """Return the arm to play next."""

    def update(self, chosen_arm: int, reward: float, t: int) -> None:
        """Learn from play number t, counted from 1."""

    def label(self) -> str:
        """Return the name for tables and pictures."""


def break_tie(values: Array, rng: RandomNumbers) -> int:
    """Return the arm of the highest value; where several share it, one of them at random."""
    best = np.flatnonzero(values == values.max())
    return int(best[rng.integers(len(best))]) if len(best) > 1 else int(best[0])


def pick(weights: Array, rng: RandomNumbers) -> int:
    """Draw an arm with a chance in proportion to its weight."""
    left = rng.random() * sum(weights.tolist())
    for arm, weight in enumerate(weights[:-1]):
        left -= weight
        if left < 0:
            return arm
    return len(weights) - 1


class Softmax:
    """An arm with a chance in proportion to exp(mean reward / temperature).

    Source: Sutton and Barto 1998, 2.3.
    """

    def __init__(self, temperature: float) -> None:
        self.temperature = temperature

    def initialize(self, n_arms: int, rng: RandomNumbers) -> None:
        self.rng = rng
        self.n = np.zeros(n_arms)
        self.v = np.zeros(n_arms)

    def select_arm(self) -> int:
        return pick(np.array([math.exp(v / self.temperature) for v in self.v]), self.rng)

    def update(self, chosen_arm: int, reward: float, t: int) -> None:
        self.n[chosen_arm] += 1
        self.v[chosen_arm] += (reward - self.v[chosen_arm]) / self.n[chosen_arm]

    def label(self) -> str:
        return f"softmax({self.temperature:g})"

    def simulate(self, p: Array, streams: Array, chosen: Array, rewards: Array) -> None:
        from rl.envs import bandit_sim

        bandit_sim.softmax(p, float(self.temperature), streams, chosen, rewards)


class ThompsonSampling:
    """Draw a chance for each arm from the belief Beta(1 + coins, 1 + blanks); play the highest.

    Source: Thompson 1933; Chapelle and Li 2011.
    """

    def initialize(self, n_arms: int, rng: RandomNumbers) -> None:
        self.rng = rng
        self.coins = np.zeros(n_arms)
        self.blanks = np.zeros(n_arms)

    def select_arm(self) -> int:
        return int(
            np.argmax(
                [self.rng.beta(1 + coins, 1 + blanks) for coins, blanks in zip(self.coins, self.blanks)]
            )
        )

    def update(self, chosen_arm: int, reward: float, t: int) -> None:
        self.coins[chosen_arm] += reward
        self.blanks[chosen_arm] += 1 - reward

    def label(self) -> str:
        return "Thompson sampling"

    def simulate(self, p: Array, streams: Array, chosen: Array, rewards: Array) -> None:
        from rl.envs import bandit_sim

        bandit_sim.thompson(p, streams, chosen, rewards)


class GradientBandit:
    """Preferences h, chances softmax(h), and one step of policy gradient after each play:

        h_i += step_size * (reward - mean reward so far) * ((i is the chosen arm) - chance_i)

    Source: Sutton and Barto 2018, 2.8. The maze article's method, with a single cell.
    """

    def __init__(self, step_size: float) -> None:
        self.step_size = step_size

    def initialize(self, n_arms: int, rng: RandomNumbers) -> None:
        self.rng = rng
        self.preference = np.zeros(n_arms)
        self.baseline = 0.0

    def _weights(self) -> Array:
        return np.array([math.exp(h) for h in self.preference])

    def select_arm(self) -> int:
        return pick(self._weights(), self.rng)

    def update(self, chosen_arm: int, reward: float, t: int) -> None:
        weights = self._weights()
        toward = np.zeros(len(weights))
        toward[chosen_arm] = 1.0
        chances = weights / sum(weights.tolist())
        self.preference += self.step_size * (reward - self.baseline) * (toward - chances)
        self.baseline += (reward - self.baseline) / t

    def label(self) -> str:
        return f"gradient bandit({self.step_size:g})"

    def simulate(self, p: Array, streams: Array, chosen: Array, rewards: Array) -> None:
        from rl.envs import bandit_sim

        bandit_sim.gradient(p, float(self.step_size), streams, chosen, rewards)
