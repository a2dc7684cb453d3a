"""AlphaZero 1: slot machines.

Question: three slot machines pay a coin with the unknown chances 0.3, 0.5 and 0.9. Which one next, so that
250 plays give as many coins as possible? There is no state; all there is to learn is how good each arm is,
and that costs.

Method: epsilon-greedy (explore now and then) and UCB1 (explore what is uncertain), each playing 1000
simulations of 250 plays; the curve is the mean reward of each play. Then what comes after: softmax, the
gradient bandit, Thompson sampling, and the regret of all of them beside the bound of Lai and Robbins.

Source: the article "AlphaZero 1", after the book of the same series; Auer, Cesa-Bianchi and Fischer 2002 for
UCB1.

Expected (20 seeds, 0 to 19; least - median - most):
                                      mean reward           reward of play 250      regret after 250 plays
    epsilon-greedy(0.1), ties to arm 0  0.790 - 0.798 - 0.802   0.845 - 0.869 - 0.887   24.6 - 25.4 - 27.5
    UCB1                                0.814 - 0.816 - 0.817   0.841 - 0.858 - 0.872   20.9 - 21.1 - 21.3
    epsilon-greedy(0.1)                 0.831 - 0.834 - 0.837   0.847 - 0.872 - 0.896   15.7 - 16.4 - 17.3
    softmax(0.1)                        0.807 - 0.813 - 0.819   0.846 - 0.859 - 0.872   20.2 - 21.7 - 23.5
    gradient bandit(0.4)                0.849 - 0.850 - 0.851   0.876 - 0.891 - 0.908   12.1 - 12.5 - 12.7
    Thompson sampling                   0.877 - 0.879 - 0.879   0.879 - 0.897 - 0.916    5.2 -  5.4 -  5.6
The first two rows are the listing's; it reaches 0.792-0.801 and 0.814-0.817. One play's mean over 1000
simulations has a standard deviation of 0.01, which is the spread of the middle column.

Time: about 3 ms for the 250,000 plays of epsilon-greedy or UCB1. `play`, both algorithms together, took 250
to 390 times less than the listing on one thread of a busy machine and 380 to 660 times less on two, measured
beside it; Thompson sampling 0.1 s; the whole command 2 to 3 s, and 10 s more when numba compiles first.

Differences from the listing:
- Ties. The listing's argmax gives every tie to arm 0, which here is the worst. At the start all means are 0,
  so its epsilon-greedy stays on arm 0 until a random choice pays elsewhere; this is most of why its curve
  starts so much lower than UCB1's. The class breaks ties at random; `random_ties=False` gives the listing's
  rule, and both are shown.
- Random numbers. The listing mixes two unseeded generators. Here each simulation has a stream of its own that
  follows from --seed, handed to `initialize` and `draw`: results repeat, alone or among thousands, on any
  number of cores.
- `play` runs a compiled twin of the classes (rl/envs/bandit_sim.py), choice for choice the same; an algorithm
  of your own with the same four methods is stepped in Python.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rl.bandit.algorithms import (
    Algorithm,
    Arm,
    GradientBandit,
    RandomNumbers,
    Softmax,
    ThompsonSampling,
    break_tie,
)
from rl.bandit.simulation import simulate, streams_of
from rl.command import cli
from rl.command.errors import require
from rl.command.settings import RunName, at_least, positive
from rl.command.settings import Settings as CommonSettings
from rl.command.threads import use_threads
from rl.runs.resumable import STATE
from rl.runs.resume import parse

if TYPE_CHECKING:
    from rl.bandit import command as bandit_report

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


class SlotArm:
    """An arm that pays one coin with chance p."""

    def __init__(self, p: float) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"an arm pays with a chance from 0 to 1, not {p}")
        self.p = p

    def draw(self, rng: RandomNumbers) -> float:
        return 1.0 if rng.random() < self.p else 0.0


class EpsilonGreedy:
    """With chance epsilon any arm, else the one with the highest mean reward so far.

    random_ties  True: one of the best arms at random. False: the first of them, as in the listing, which at
                 the start, when all means are 0, is arm 0. It stays there until a random choice pays
                 elsewhere.
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
        return f"ε-greedy({self.epsilon:g})" + ("" if self.random_ties else ", ties to arm 0")

    def simulate(self, p: np.ndarray, streams: np.ndarray, chosen: np.ndarray, rewards: np.ndarray) -> None:
        from rl.envs import bandit_sim

        bandit_sim.epsilon_greedy(p, float(self.epsilon), self.random_ties, streams, chosen, rewards)


class UCB1:
    """Each arm once, then the one with the highest upper bound w/n + sqrt(2 ln t / n).  Source: Auer et al.

    2002.
    """

    def initialize(self, n_arms: int, rng: RandomNumbers) -> None:
        self.n = np.zeros(n_arms)  # (A,) plays of each arm
        self.w = np.zeros(n_arms)  # (A,) coins of each arm
        self.v = np.zeros(n_arms)  # (A,) upper bounds

    def select_arm(self) -> int:
        unplayed = np.flatnonzero(self.n == 0)
        return int(unplayed[0]) if len(unplayed) else int(np.argmax(self.v))

    def update(self, chosen_arm: int, reward: float, t: int) -> None:
        """t counts the plays, this one included: every bound grows with it, not only that of the arm just
        played.
        """
        self.n[chosen_arm] += 1
        self.w[chosen_arm] += reward
        if np.all(self.n > 0):
            self.v = self.w / self.n + np.sqrt(2 * math.log(t) / self.n)

    def label(self) -> str:
        return "UCB1"

    def simulate(self, p: np.ndarray, streams: np.ndarray, chosen: np.ndarray, rewards: np.ndarray) -> None:
        from rl.envs import bandit_sim

        bandit_sim.ucb1(p, streams, chosen, rewards)


def play(
    algo: Algorithm, arms: Sequence[Arm], num_sims: int, num_time: int, seed: int = 0, num_threads: int = 0
) -> list[np.ndarray]:
    """The article's simulation: `num_sims` times, forget everything and play `num_time` times.

    Returns the article's [times, rewards], both (num_sims * num_time,): which play of its simulation (1, 2,
    ...), and its reward 0 or 1. Equal seeds give equal results, whatever the number of threads (0 = all
    cores). Raises ValueError as `simulate` does.
    """
    _, rewards = simulate(algo, arms, streams_of(seed, num_sims), num_time, num_threads)
    return [np.tile(np.arange(1, num_time + 1, dtype=np.int32), num_sims), rewards.ravel().astype(np.float32)]


@dataclass
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
            at_least(self, name, 1)
        for name in ("temperature", "step_size"):
            positive(self, name)

    def algorithms(self) -> list[Algorithm]:
        """The listing's two, then the others."""
        return [
            EpsilonGreedy(self.epsilon, random_ties=False),
            UCB1(),
            EpsilonGreedy(self.epsilon),
            Softmax(self.temperature),
            GradientBandit(self.step_size),
            ThompsonSampling(),
        ]


def run(settings: Settings) -> list[bandit_report.Result]:
    """Play, print the table, write curves and pictures; see rl/bandit/command.py."""
    from rl.bandit import command as bandit_report  # numba and matplotlib come with it

    return bandit_report.run(settings)


def measure_seeds(settings: Settings, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """The figures of a run for each seed, many in one compiled call; see rl/bandit/command.py."""
    from rl.bandit import command as bandit_report

    return bandit_report.measure_seeds(settings, seeds)


@cli.exit_codes
def main(argv: list[str] | None = None) -> None:
    settings = parse(
        "bandit",
        Settings,
        summary="Slot machines: epsilon-greedy, UCB1, and what came after them.",
        examples=(
            "python -m rl.bandit",
            "python -m rl.bandit --arms 0.45 0.5 0.55 --num-time 5000",
            "python -m rl.bandit --num-sims 100000 --seed 7",
            "python -m rl.bandit --resume --num-sims 2000",
        ),
        argv=argv,
        holding=STATE,
        unfinished=False,
    )
    settings.validate()
    use_threads(settings.num_threads)
    run(settings)
