"""Counting simulations: tallies of whole numbers, and the curves that follow from them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nnlite.arrays import Array
from rl.bandit import Settings, SlotArm
from rl.bandit.algorithms import Algorithm
from rl.bandit.simulation import simulate, streams_of

PLAYS_AT_ONCE = 2_000_000  # between two moments at which the run may be stopped


@dataclass
class Result:
    """The curves of one algorithm, means over all simulations.

    rewards   (T,)  reward of each play
    regret    (T,)  sum so far of p* - p of the arms played, in coins
    best_arm  share of simulations whose last play is on a best arm
    seconds   for all plays, without compiling
    """

    label: str
    rewards: Array
    regret: Array
    best_arm: float
    seconds: float

    def figures(self) -> dict[str, float]:
        """Return the entry of this algorithm in result.json."""
        return {
            "mean_reward": float(self.rewards.mean()),
            "last_play": float(self.rewards[-1]),
            "best_arm": self.best_arm,
            "regret": float(self.regret[-1]),
            "seconds": self.seconds,
        }


@dataclass
class Tally:
    """The simulations of one algorithm so far. Whole numbers: the same in one piece and in many.

    done     simulations
    coins    (T,) int64    in how many of them each play paid a coin
    plays    (T, A) int64  in how many of them each play was on each arm
    seconds  for all plays, without compiling
    """

    done: int
    coins: Array
    plays: Array
    seconds: float

    @classmethod
    def empty(cls, settings: Settings) -> Tally:
        """Make the tally of no simulation."""
        times, arms = settings.num_time, len(settings.arms)
        return cls(0, np.zeros(times, np.int64), np.zeros((times, arms), np.int64), 0.0)

    def add(self, chosen: Array, rewards: Array) -> None:
        """Count further simulations, (N, T) each."""
        times, arms = self.plays.shape
        cells = chosen + arms * np.arange(times)  # (N, T): the place of each choice in `plays`
        self.done += len(chosen)
        self.coins += rewards.sum(axis=0, dtype=np.int64)
        self.plays += np.bincount(cells.ravel(), minlength=times * arms).reshape(times, arms)

    def result(self, algo: Algorithm, settings: Settings) -> Result:
        """Return the curves."""
        chances = np.array(settings.arms)
        lost = chances.max() - chances  # (A,) mean cost of a play on each arm
        best_arm = float(self.plays[-1, lost == 0].sum() / self.done)
        regret = (self.plays @ lost / self.done).cumsum()
        return Result(algo.label(), self.coins / self.done, regret, best_arm, self.seconds)


def compile_simulation(algo: Algorithm, settings: Settings) -> list[SlotArm]:
    """Have numba compile the algorithm, or load what it compiled before; return the arms."""
    arms = [SlotArm(p) for p in settings.arms]
    simulate(algo, arms, streams_of(0, 1), 1)
    return arms


def complete(algo: Algorithm, settings: Settings, tally: Tally) -> Iterator[None]:
    """Play the simulations that the tally lacks, about PLAYS_AT_ONCE plays between two yields."""
    arms = compile_simulation(algo, settings)
    streams = streams_of(settings.seed, settings.num_sims)
    at_once = max(1, PLAYS_AT_ONCE // settings.num_time)
    while tally.done < settings.num_sims:
        begin = time.perf_counter()
        rows = streams[tally.done : tally.done + at_once]
        chosen, rewards = simulate(algo, arms, rows, settings.num_time, settings.num_threads)
        tally.seconds += time.perf_counter() - begin
        tally.add(chosen, rewards)
        yield


def measure(algo: Algorithm, settings: Settings) -> Result:
    """Play all simulations of one algorithm."""
    tally = Tally.empty(settings)
    for _ in complete(algo, settings, tally):
        pass
    return tally.result(algo, settings)
