"""AlphaZero 1: slot machines.

Question: three slot machines pay a coin with the unknown chances 0.3, 0.5 and 0.9. Which one next, so that
250 plays give as many coins as possible? There is no state. All there is to learn is how good each arm is,
and learning that costs coins.

Method: epsilon-greedy (explore now and then) and UCB1 (explore what is uncertain), each playing 1000
simulations of 250 plays; the curve is the mean reward of each play. Then what came after: softmax, the
gradient bandit, Thompson sampling, and the regret of all of them beside the bound of Lai and Robbins.

Source: the article "AlphaZero 1", after the book of the same series; Auer, Cesa-Bianchi and Fischer 2002 for
UCB1.

Expected: mean reward near 0.80 for epsilon-greedy and 0.816 for UCB1, as in the article; 0.88 for Thompson
sampling. docs/results/bandit.md has all figures, and the times.

Differences from the listing:
- Ties. The listing's argmax gives every tie to arm 0, which here is the worst. At the start all means are 0,
  so its epsilon-greedy stays on arm 0 until a random choice pays elsewhere. Most of the distance between its
  curve and UCB1's comes from this. The class breaks ties at random; `random_ties=False` gives the listing's
  rule, and both are shown.
- Random numbers. The listing mixes two unseeded generators. Here each simulation has a stream of its own that
  follows from --seed and is passed to `initialize` and `draw`. Results repeat, alone or among thousands, on
  any number of cores.
- `play` runs a compiled twin of the classes (rl/envs/bandit_sim.py), choice for choice the same. Your own
  algorithm with the same four methods is stepped in Python.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnlite.arrays import Array
from rl.bandit.algorithms import Algorithm, Arm, GradientBandit, Softmax, ThompsonSampling, break_tie
from rl.bandit.simulation import simulate, streams_of
from rl.command.errors import require
from rl.command.settings import RunName, require_at_least, require_positive
from rl.command.settings import Settings as CommonSettings
from rl.envs.random_numbers import RandomNumbers

__all__ = [
    "UCB1",
    "EpsilonGreedy",
    "GradientBandit",
    "Softmax",
    "SlotArm",
    "ThompsonSampling",
    "play",
    "simulate",
]

FIRST_ARM = ", ties to arm 0"  # in the label of the listing's rule


class SlotArm:
    """An arm that pays one coin with chance p. Raises ValueError unless p is from 0 to 1."""

    def __init__(self, p: float) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"an arm pays with a chance from 0 to 1, not {p}")
        self.p = p

    def draw(self, rng: RandomNumbers) -> float:
        """Return 1 for a coin, else 0."""
        return 1.0 if rng.random() < self.p else 0.0


class EpsilonGreedy:
    """With chance epsilon any arm, else the one with the highest mean reward so far.

    random_ties  True: one of the best arms at random. False: the first of them, as in the listing. Because
                 all means start at 0, it then stays on arm 0 until a random choice pays elsewhere.
    """

    def __init__(self, epsilon: float, random_ties: bool = True) -> None:
        self.epsilon = epsilon
        self.random_ties = random_ties

    def initialize(self, n_arms: int, rng: RandomNumbers) -> None:
        self.rng = rng
        self.n = np.zeros(n_arms)  # (A,) plays of each arm
        self.v = np.zeros(n_arms)  # (A,) mean reward of each arm

    def select_arm(self) -> int:
        if self.rng.random() < self.epsilon:
            return int(self.rng.integers(len(self.v)))
        return break_tie(self.v, self.rng) if self.random_ties else int(np.argmax(self.v))

    def update(self, chosen_arm: int, reward: float, t: int) -> None:
        self.n[chosen_arm] += 1
        self.v[chosen_arm] += (reward - self.v[chosen_arm]) / self.n[chosen_arm]

    def label(self) -> str:
        return f"ε-greedy({self.epsilon:g})" + ("" if self.random_ties else FIRST_ARM)

    def simulate(self, p: Array, streams: Array, chosen: Array, rewards: Array) -> None:
        from rl.envs import bandit_sim

        bandit_sim.epsilon_greedy(p, float(self.epsilon), self.random_ties, streams, chosen, rewards)


class UCB1:
    """Each arm once, then the one with the highest upper bound w/n + sqrt(2 ln t / n).

    w coins, n plays of the arm, t plays so far.  Source: Auer et al. 2002.
    """

    def initialize(self, n_arms: int, rng: RandomNumbers) -> None:
        self.n = np.zeros(n_arms)  # (A,) plays of each arm
        self.w = np.zeros(n_arms)  # (A,) coins of each arm
        self.v = np.zeros(n_arms)  # (A,) upper bounds

    def select_arm(self) -> int:
        unplayed = np.flatnonzero(self.n == 0)
        return int(unplayed[0]) if len(unplayed) else int(np.argmax(self.v))

    def update(self, chosen_arm: int, reward: float, t: int) -> None:
        """Learn from play number t, counted from 1: all bounds change, because all grow with t."""
        self.n[chosen_arm] += 1
        self.w[chosen_arm] += reward
        if np.all(self.n > 0):
            self.v = self.w / self.n + np.sqrt(2 * math.log(t) / self.n)

    def label(self) -> str:
        return "UCB1"

    def simulate(self, p: Array, streams: Array, chosen: Array, rewards: Array) -> None:
        from rl.envs import bandit_sim

        bandit_sim.ucb1(p, streams, chosen, rewards)


def play(
    algo: Algorithm, arms: Sequence[Arm], num_sims: int, num_time: int, seed: int = 0, num_threads: int = 0
) -> list[Array]:
    """Simulate as the article does: `num_sims` times, forget everything and play `num_time` times.

    Returns the article's [times, rewards], both (num_sims * num_time,): the number of the play within its
    simulation (1, 2, ...), and its reward 0 or 1. Equal seeds give equal results, whatever the number of
    threads (0 = all cores). Raises ValueError as `simulate` does.
    """
    _, rewards = simulate(algo, arms, streams_of(seed, num_sims), num_time, num_threads)
    return [np.tile(np.arange(1, num_time + 1, dtype=np.int32), num_sims), rewards.ravel().astype(np.float32)]


@dataclass(frozen=True)
class Settings(CommonSettings):
    """Slot machines: which arm next?"""

    arms: tuple[float, ...] = (0.3, 0.5, 0.9)
    """chance of a coin of each arm"""
    num_sims: int = 1000
    """simulations; curves are means over them"""
    num_time: int = 250
    """plays of a simulation"""
    epsilon: float = 0.1
    """epsilon-greedy: chance of a random arm"""
    temperature: float = 0.1
    """softmax: low is greedy, high is random (coins)"""
    step_size: float = 0.4
    """gradient bandit: step of the preferences"""
    resume: RunName = RunName("")
    """continue a run: the newest, or that folder"""

    def validate(self) -> None:
        super().validate()
        require(1 <= len(self.arms) <= 256, f"--arms has {len(self.arms)} arms", "give 1 to 256 chances")
        require(all(0 <= p <= 1 for p in self.arms), f"--arms is {self.arms}", "give chances from 0 to 1")
        require(0 <= self.epsilon <= 1, f"--epsilon is {self.epsilon}", "give a chance from 0 to 1")
        for name in ("num_sims", "num_time"):
            require_at_least(self, name, 1)
        for name in ("temperature", "step_size"):
            require_positive(self, name)

    def algorithms(self) -> list[Algorithm]:
        """Return the listing's two, then the others."""
        return [
            EpsilonGreedy(self.epsilon, random_ties=False),
            UCB1(),
            EpsilonGreedy(self.epsilon),
            Softmax(self.temperature),
            GradientBandit(self.step_size),
            ThompsonSampling(),
        ]
