"""AlphaZero 1: slot machines.

Question: three slot machines pay a coin with the unknown chances 0.3, 0.5 and 0.9. Which one next, so that 250 plays
give as many coins as possible? There is no state; all there is to learn is how good each arm is, and learning it costs.

Method: epsilon-greedy (explore now and then) and UCB1 (explore what is uncertain), each playing 1000 simulations of 250
plays; the curve is the mean reward of each play. Then what comes after: softmax, the gradient bandit, Thompson sampling,
and the regret of all of them beside the bound of Lai and Robbins.

Source: the article "AlphaZero 1", after the book of the same series; Auer, Cesa-Bianchi and Fischer 2002 for UCB1.

Expected (20 seeds, 0 to 19; least - median - most):
                                      mean reward           reward of play 250      regret after 250 plays
    epsilon-greedy(0.1), ties to arm 0  0.790 - 0.798 - 0.802   0.845 - 0.869 - 0.887   24.6 - 25.4 - 27.5
    UCB1                                0.814 - 0.816 - 0.817   0.841 - 0.858 - 0.872   20.9 - 21.1 - 21.3
    epsilon-greedy(0.1)                 0.831 - 0.834 - 0.837   0.847 - 0.872 - 0.896   15.7 - 16.4 - 17.3
    softmax(0.1)                        0.807 - 0.813 - 0.819   0.846 - 0.859 - 0.872   20.2 - 21.7 - 23.5
    gradient bandit(0.4)                0.849 - 0.850 - 0.851   0.876 - 0.891 - 0.908   12.1 - 12.5 - 12.7
    Thompson sampling                   0.877 - 0.879 - 0.879   0.879 - 0.897 - 0.916    5.2 -  5.4 -  5.6
The first two rows are the listing's; it reaches 0.792-0.801 and 0.814-0.817. One play's mean over 1000 simulations has
a standard deviation of 0.01, which is the spread of the middle column.

Time: about 3 ms for the 250,000 plays of epsilon-greedy or UCB1 on one core, some 350 times the listing's speed
(measured beside it); Thompson sampling 0.1 s; with the pictures about 2 s, and 5 s more when numba compiles first.

Differences from the listing:
- Ties. The listing's argmax gives every tie to arm 0, which here is the worst. At the start all means are 0, so its
  epsilon-greedy stays on arm 0 until a random choice pays elsewhere; this is most of why its curve starts so much lower
  than UCB1's. The class breaks ties at random; `random_ties=False` gives the listing's rule, and both are shown.
- Random numbers. The listing mixes two unseeded generators. Here each simulation has a stream of its own that follows
  from --seed, handed to `initialize` and `draw`: results repeat, alone or among thousands, on any number of cores.
- `play` runs a compiled twin of the classes (rl/envs/bandit_sim.py), choice for choice the same; an algorithm of your
  own with the same four methods is stepped in Python.
"""
from __future__ import annotations

import csv
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rl.bandit_algorithms import GradientBandit, Softmax, ThompsonSampling, break_tie
from rl.bandit_plots import draw_regret, draw_rewards, lai_robbins
from rl.bandit_simulation import simulate, streams_of
from rl.core.cli import main as command
from rl.core.errors import require
from rl.core.run_folder import create, write_json
from rl.core.settings import Settings as CommonSettings
from rl.core.settings import as_dict, at_least, positive

__all__ = ["UCB1", "EpsilonGreedy", "GradientBandit", "Softmax", "SlotArm", "ThompsonSampling", "play", "simulate"]


class SlotArm:
    """An arm that pays one coin with chance p."""

    def __init__(self, p: float):
        if not 0 <= p <= 1:
            raise ValueError(f"an arm pays with a chance from 0 to 1, not {p}")
        self.p = p

    def draw(self, rng) -> float:
        return 1.0 if rng.random() < self.p else 0.0


class EpsilonGreedy:
    """With chance epsilon any arm, else the one with the highest mean reward so far.

    random_ties  True: one of the best arms at random. False: the first of them, as in the listing, which at the start,
                 when all means are 0, is arm 0. It stays there until a random choice pays elsewhere.
    """

    def __init__(self, epsilon: float, random_ties: bool = True):
        self.epsilon = epsilon
        self.random_ties = random_ties

    def initialize(self, n_arms: int, rng) -> None:
        self.rng = rng
        self.n = np.zeros(n_arms)                      # (A,) plays of each arm
        self.v = np.zeros(n_arms)                      # (A,) mean reward of each arm

    def select_arm(self) -> int:
        if self.rng.random() < self.epsilon:
            return int(self.rng.integers(len(self.v)))
        return break_tie(self.v, self.rng) if self.random_ties else int(np.argmax(self.v))

    def update(self, chosen_arm: int, reward: float, t: int) -> None:
        self.n[chosen_arm] += 1
        self.v[chosen_arm] += (reward - self.v[chosen_arm]) / self.n[chosen_arm]

    def label(self) -> str:
        return f"ε-greedy({self.epsilon:g})" + ("" if self.random_ties else ", ties to arm 0")

    def simulate(self, p, streams, chosen, rewards) -> None:
        from rl.envs import bandit_sim

        bandit_sim.epsilon_greedy(p, float(self.epsilon), self.random_ties, streams, chosen, rewards)


class UCB1:
    """Each arm once, then the one with the highest upper bound w/n + sqrt(2 ln t / n).  Source: Auer et al. 2002."""

    def initialize(self, n_arms: int, rng) -> None:
        self.n = np.zeros(n_arms)                      # (A,) plays of each arm
        self.w = np.zeros(n_arms)                      # (A,) coins of each arm
        self.v = np.zeros(n_arms)                      # (A,) upper bounds

    def select_arm(self) -> int:
        unplayed = np.flatnonzero(self.n == 0)
        return int(unplayed[0]) if len(unplayed) else int(np.argmax(self.v))

    def update(self, chosen_arm: int, reward: float, t: int) -> None:
        """t counts the plays, this one included: every bound grows with it, not only that of the arm just played."""
        self.n[chosen_arm] += 1
        self.w[chosen_arm] += reward
        if np.all(self.n > 0):
            self.v = self.w / self.n + np.sqrt(2 * math.log(t) / self.n)

    def label(self) -> str:
        return "UCB1"

    def simulate(self, p, streams, chosen, rewards) -> None:
        from rl.envs import bandit_sim

        bandit_sim.ucb1(p, streams, chosen, rewards)


def play(algo, arms, num_sims: int, num_time: int, seed: int = 0, num_threads: int = 1) -> list[np.ndarray]:
    """The article's simulation: `num_sims` times, forget everything and play `num_time` times.

    Returns the article's [times, rewards], both (num_sims * num_time,): which play of its simulation (1, 2, ...), and
    its reward 0 or 1. Equal seeds give equal results, whatever the number of threads (0 = all cores).
    Raises ValueError as `simulate` does.
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

    def validate(self) -> None:
        super().validate()
        require(1 <= len(self.arms) <= 256, f"--arms has {len(self.arms)} arms", "give 1 to 256 chances")
        require(all(0 <= p <= 1 for p in self.arms), f"--arms is {self.arms}", "give chances from 0 to 1")
        require(0 <= self.epsilon <= 1, f"--epsilon is {self.epsilon}", "give a chance from 0 to 1")
        for name in ("num_sims", "num_time"):
            at_least(self, name, 1)
        for name in ("temperature", "step_size"):
            positive(self, name)

    def algorithms(self) -> list:
        """The listing's two, then the others."""
        return [
            EpsilonGreedy(self.epsilon, random_ties=False),
            UCB1(),
            EpsilonGreedy(self.epsilon),
            Softmax(self.temperature),
            GradientBandit(self.step_size),
            ThompsonSampling(),
        ]


@dataclass
class Result:
    """What one algorithm reached; curves are means over all simulations."""

    label: str
    rewards: np.ndarray                                # (T,) reward of each play
    regret: np.ndarray                                 # (T,) sum so far of p* - p of the arms played, in coins
    best_arm: float                                    # share of simulations whose last play is on a best arm
    seconds: float                                     # for all plays, compiling left out


def measure(algo, settings: Settings) -> Result:
    """Play all simulations of one algorithm."""
    arms, chances = [SlotArm(p) for p in settings.arms], np.array(settings.arms)
    simulate(algo, arms, streams_of(0, 1), 1)          # compiles, or loads what was compiled before
    begin = time.perf_counter()
    streams = streams_of(settings.seed, settings.num_sims)
    chosen, rewards = simulate(algo, arms, streams, settings.num_time, settings.num_threads)
    seconds = time.perf_counter() - begin
    lost = (chances.max() - chances)[chosen]           # (N, T) what each choice costs on average
    best_arm = float((lost[:, -1] == 0).mean())
    return Result(algo.label(), rewards.mean(axis=0), lost.mean(axis=0).cumsum(), best_arm, seconds)


def run(settings: Settings) -> list[Result]:
    """Play, print the table, and write curves.csv, results.json, rewards.png and regret.png into the run's folder."""
    folder = create(settings.out, "bandit", "rl/Bandit-v0", settings.seed, as_dict(settings))
    print(f"rl.bandit: {settings.num_sims} simulations of {settings.num_time} plays on the arms {settings.arms}, seed {settings.seed}")
    print(f"{'':34}{'mean reward':>12}{'last play':>11}{'best arm':>10}{'regret':>8}{'time':>10}")
    results = []
    for algo in settings.algorithms():
        results.append(measure(algo, settings))
        print(_line(results[-1]), flush=True)
    slope = lai_robbins(np.array(settings.arms))
    print(f"In the long run no algorithm that is good on all arms gets by with less regret than {slope:.2f} ln t.")
    _write(folder, settings, results, slope)
    print(f"curves and pictures: {folder}")
    return results


def _line(result: Result) -> str:
    return (
        f"{result.label:34}{result.rewards.mean():12.3f}{result.rewards[-1]:11.3f}{result.best_arm:10.1%}"
        f"{result.regret[-1]:8.2f}{1000 * result.seconds:7.1f} ms"
    )


def _write(folder: Path, settings: Settings, results: list[Result], slope: float) -> None:
    with open(folder / "curves.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["algorithm", "play", "mean_reward", "regret"])
        for result in results:
            for t, (reward, regret) in enumerate(zip(result.rewards, result.regret), start=1):
                table.writerow([result.label, t, f"{reward:.6g}", f"{regret:.6g}"])
    summary = {
        result.label: {
            "mean_reward": float(result.rewards.mean()),
            "last_play": float(result.rewards[-1]),
            "best_arm": result.best_arm,
            "regret": float(result.regret[-1]),
            "seconds": result.seconds,
        }
        for result in results
    }
    write_json(folder / "results.json", {"algorithms": summary, "lai_robbins_slope": slope})
    title = f"Slot machines {settings.arms}, {settings.num_sims} simulations"
    draw_rewards(folder / "rewards.png", {result.label: result.rewards for result in results[:3]}, title)
    draw_regret(folder / "regret.png", {result.label: result.regret for result in results}, slope)


def main(argv: list[str] | None = None) -> int:
    return command(
        "bandit",
        Settings,
        run,
        summary="Slot machines: epsilon-greedy, UCB1, and what came after them.",
        examples=(
            "python -m rl.bandit",
            "python -m rl.bandit --arms 0.45 0.5 0.55 --num-time 5000",
            "python -m rl.bandit --num-sims 100000 --seed 7",
        ),
        argv=argv,
    )


if __name__ == "__main__":
    sys.exit(main())
