"""How long does the bandit article take?

Workload: the simulations of `python -m rl.bandit`, epsilon-greedy and UCB1, 1,000 simulations of 250 plays
each on the arms 0.3, 0.5 and 0.9. Our side is `play`. The other side is a Python loop over small NumPy
arrays, written below like the article's listing; it cannot use threads. A call runs both algorithms; the rate
counts plays.
"""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np

from bench.harness import compare
from bench.questions import Options, Question, Row, Side, Work

CHANCES, SIMULATIONS, PLAYS = (0.3, 0.5, 0.9), 1000, 250
AMOUNT = 2 * SIMULATIONS * PLAYS


def ours(threads: int) -> Work:
    """Call rl.bandit.play with both algorithms."""
    from rl.bandit import UCB1, EpsilonGreedy, SlotArm, play

    arms = [SlotArm(p) for p in CHANCES]
    algorithms = (EpsilonGreedy(0.1, random_ties=False), UCB1())
    return Work(
        lambda: [play(one, arms, SIMULATIONS, PLAYS, num_threads=threads) for one in algorithms], AMOUNT
    )


def listing(threads: int) -> Work:
    """Do the same plays in plain Python."""
    return Work(lambda: [simulate(one) for one in (Greedy(), Bounds())], AMOUNT)


class Greedy:
    """epsilon-greedy(0.1) that takes the first arm on ties."""

    def start(self) -> None:
        self.plays, self.means = np.zeros(len(CHANCES)), np.zeros(len(CHANCES))

    def choose(self) -> Any:
        return np.random.randint(0, len(self.means)) if random.random() < 0.1 else np.argmax(self.means)  # noqa: NPY002 - as in the listing

    def learn(self, arm: int, coin: float, t: int) -> None:
        self.plays[arm] += 1
        n = self.plays[arm]
        self.means[arm] = (n - 1) / float(n) * self.means[arm] + coin / float(n)


class Bounds:
    """UCB1 that computes all bounds after each play."""

    def start(self) -> None:
        self.plays, self.coins, self.bounds = (np.zeros(len(CHANCES)) for _ in range(3))

    def choose(self) -> Any:
        for arm in range(len(self.plays)):
            if self.plays[arm] == 0:
                return arm
        return np.argmax(self.bounds)

    def learn(self, arm: int, coin: float, t: int) -> None:
        self.plays[arm] += 1
        self.coins[arm] += coin
        if any(n == 0 for n in self.plays):
            return
        for i in range(len(self.plays)):
            self.bounds[i] = self.coins[i] / self.plays[i] + (2 * math.log(t) / self.plays[i]) ** 0.5


def simulate(algorithm: Greedy | Bounds) -> list[np.ndarray]:
    """Return the number and the coin of every play of every simulation."""
    times, rewards = np.zeros(SIMULATIONS * PLAYS), np.zeros(SIMULATIONS * PLAYS)
    for simulation in range(SIMULATIONS):
        algorithm.start()
        for t in range(1, PLAYS + 1):
            arm = algorithm.choose()
            coin = 1.0 if random.random() < CHANCES[arm] else 0.0
            algorithm.learn(arm, coin, t)
            times[simulation * PLAYS + t - 1], rewards[simulation * PLAYS + t - 1] = t, coin
    return [times, rewards]


QUESTION = Question(
    "W8",
    "bandit",
    "bandit article, both algorithms, 1,000 x 250 plays",
    "plays/s",
    (
        Side("nnlite", "bench.bandit:ours"),
        Side("the listing's way", "bench.bandit:listing"),
    ),
    target={1: 300.0},
    threads=(1,),
)


def run(options: Options) -> list[Row]:
    return compare(QUESTION, options)
