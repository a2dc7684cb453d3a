"""What `python -m rl.bandit` does with its settings: play, print the table, write the run's folder."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rl import bandit
from rl.bandit.algorithms import Algorithm
from rl.bandit.plots import draw_regret, draw_rewards, lai_robbins
from rl.bandit.simulation import simulate, streams_of
from rl.command.errors import require
from rl.runs.resumable import in_pieces, opened
from rl.runs.resume import keep_settings
from rl.runs.run_folder import RESULT, write_json

MAY_CHANGE = {"num_sims", "out", "num_threads", "config", "resume"}
PLAYS_AT_ONCE = 2_000_000  # between two moments at which the run may be stopped
MOST_PLAYS = 20_000_000  # of many seeds, held in memory at once: 40 MB


@dataclass
class Result:
    """What one algorithm reached; curves are means over all simulations."""

    label: str
    rewards: np.ndarray  # (T,) reward of each play
    regret: np.ndarray  # (T,) sum so far of p* - p of the arms played, in coins
    best_arm: float  # share of simulations whose last play is on a best arm
    seconds: float  # for all plays, compiling left out


@dataclass
class Tally:
    """What the simulations of one algorithm have given so far, in whole numbers: the same in one piece and
    in many.
    """

    done: int  # simulations
    coins: np.ndarray  # (T,) int64: from how many of them each play brought a coin
    plays: np.ndarray  # (T, A) int64: in how many of them each play was on each arm
    seconds: float  # for all plays, compiling left out

    @classmethod
    def empty(cls, settings: bandit.Settings) -> Tally:
        return cls(
            0,
            np.zeros(settings.num_time, np.int64),
            np.zeros((settings.num_time, len(settings.arms)), np.int64),
            0.0,
        )

    def add(self, chosen: np.ndarray, rewards: np.ndarray) -> None:
        """Count further simulations (N, T) in."""
        times, arms = self.plays.shape
        cells = chosen + arms * np.arange(times)  # (N, T): the place of each choice in `plays`
        self.done += len(chosen)
        self.coins += rewards.sum(axis=0, dtype=np.int64)
        self.plays += np.bincount(cells.ravel(), minlength=times * arms).reshape(times, arms)


def measure(algo: Algorithm, settings: bandit.Settings) -> Result:
    """Play all simulations of one algorithm."""
    tally = Tally.empty(settings)
    for _ in simulated(algo, settings, tally):
        pass
    return result_of(algo, settings, tally)


def simulated(algo: Algorithm, settings: bandit.Settings, tally: Tally) -> Iterator[None]:
    """Play the simulations that the tally lacks, about PLAYS_AT_ONCE plays between two yields."""
    arms = [bandit.SlotArm(p) for p in settings.arms]
    simulate(algo, arms, streams_of(0, 1), 1)  # compiles, or loads what was compiled before
    streams = streams_of(settings.seed, settings.num_sims)
    at_once = max(1, PLAYS_AT_ONCE // settings.num_time)
    while tally.done < settings.num_sims:
        begin = time.perf_counter()
        rows = streams[tally.done : tally.done + at_once]
        chosen, rewards = simulate(algo, arms, rows, settings.num_time, settings.num_threads)
        tally.seconds += time.perf_counter() - begin
        tally.add(chosen, rewards)
        yield


def result_of(algo: Algorithm, settings: bandit.Settings, tally: Tally) -> Result:
    """The curves of a tally."""
    chances = np.array(settings.arms)
    lost = chances.max() - chances  # (A,) what a play on each arm costs on average
    best_arm = float(tally.plays[-1, lost == 0].sum() / tally.done)
    return Result(
        algo.label(),
        tally.coins / tally.done,
        (tally.plays @ lost / tally.done).cumsum(),
        best_arm,
        tally.seconds,
    )


def measure_seeds(settings: bandit.Settings, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """The figures of `run` for each seed, many seeds in one compiled call; no pictures, nothing written.

    Equal to those of the same seeds run one by one, on any number of threads.
    """
    arms, found = [bandit.SlotArm(p) for p in settings.arms], [dict[str, Any]() for _ in seeds]
    at_once = max(1, MOST_PLAYS // (settings.num_sims * settings.num_time))
    for algo in settings.algorithms():
        simulate(algo, arms, streams_of(0, 1), 1)  # compiles, or loads what was compiled before
        for first in range(0, len(seeds), at_once):
            some, begin = seeds[first : first + at_once], time.perf_counter()
            streams = np.concatenate([streams_of(seed, settings.num_sims) for seed in some])
            chosen, rewards = simulate(algo, arms, streams, settings.num_time, settings.num_threads)
            seconds = (time.perf_counter() - begin) / len(some)
            for index in range(len(some)):
                rows, tally = (
                    slice(index * settings.num_sims, (index + 1) * settings.num_sims),
                    Tally.empty(settings),
                )
                tally.add(chosen[rows], rewards[rows])
                tally.seconds = seconds
                found[first + index][algo.label()] = figures(result_of(algo, settings, tally))
    return [{"algorithms": algorithms} for algorithms in found]


def figures(result: Result) -> dict[str, float]:
    """What result.json says of one algorithm."""
    return {
        "mean_reward": float(result.rewards.mean()),
        "last_play": float(result.rewards[-1]),
        "best_arm": result.best_arm,
        "regret": float(result.regret[-1]),
        "seconds": result.seconds,
    }


def run(settings: bandit.Settings) -> list[Result]:
    """Play, print the table, and write curves.csv, result.json, rewards.png and regret.png into the run's
    folder.
    """
    with opened("bandit", "rl/Bandit-v0", settings, settings.resume, MAY_CHANGE) as (folder, state):
        algorithms, slope = settings.algorithms(), lai_robbins(np.array(settings.arms))
        tallies = (
            [Tally.empty(settings) for _ in algorithms]
            if state is None
            else [Tally(**told) for told in state["tallies"]]
        )
        _check_progress(folder, settings, tallies)
        results: list[Result] = []
        in_pieces(
            "bandit",
            folder,
            _all_pieces(settings, algorithms, tallies, results),
            lambda: {"tallies": [vars(tally) for tally in tallies]},
            lambda: (
                f"{sum(tally.done for tally in tallies):,} of {len(tallies) * settings.num_sims:,} "
                "simulations"
            ),
        )
        print(
            "In the long run no algorithm that is good on all arms gets by with less regret than "
            f"{slope:.2f} ln t."
        )
        _write(folder, settings, results, slope)
    print(f"curves and pictures: {folder}")
    return results


def _check_progress(folder: Path, settings: bandit.Settings, tallies: list[Tally]) -> None:
    """Raise UsageError when the run has played more than is asked for, or just that, and is finished."""
    least, most = min(tally.done for tally in tallies), max(tally.done for tally in tallies)
    ended = least >= settings.num_sims and (folder / RESULT).exists()
    require(
        not ended,
        f"the run in {folder} is finished: {least:,} simulations",
        "give a larger --num-sims to go on",
    )
    require(
        most <= settings.num_sims,
        f"the run in {folder} has played {most:,} simulations",
        f"give --num-sims {most} or more",
    )
    if settings.resume:
        keep_settings(folder, settings)
        (folder / RESULT).unlink(missing_ok=True)


def _all_pieces(
    settings: bandit.Settings, algorithms: list[Algorithm], tallies: list[Tally], results: list[Result]
) -> Iterator[None]:
    """All algorithms, one after the other; each one's line of the table as soon as it is done."""
    size = f"{settings.num_sims} simulations of {settings.num_time} plays"
    print(f"rl.bandit: {size} on the arms {settings.arms}, seed {settings.seed}")
    print(f"{'':34}{'mean reward':>12}{'last play':>11}{'best arm':>10}{'regret':>8}{'time':>10}")
    for algo, tally in zip(algorithms, tallies):
        yield from simulated(algo, settings, tally)
        results.append(result_of(algo, settings, tally))
        print(_line(results[-1]), flush=True)


def _line(result: Result) -> str:
    return (
        f"{result.label:34}{result.rewards.mean():12.3f}{result.rewards[-1]:11.3f}{result.best_arm:10.1%}"
        f"{result.regret[-1]:8.2f}{1000 * result.seconds:7.1f} ms"
    )


def _write(folder: Path, settings: bandit.Settings, results: list[Result], slope: float) -> None:
    with open(folder / "curves.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["algorithm", "play", "mean_reward", "regret"])
        for result in results:
            for t, (reward, regret) in enumerate(zip(result.rewards, result.regret), start=1):
                table.writerow([result.label, t, f"{reward:.6g}", f"{regret:.6g}"])
    summary = {result.label: figures(result) for result in results}
    write_json(folder / "result.json", {"algorithms": summary, "lai_robbins_slope": slope})
    title = f"Slot machines {settings.arms}, {settings.num_sims} simulations"
    draw_rewards(folder / "rewards.png", {result.label: result.rewards for result in results[:3]}, title)
    draw_regret(folder / "regret.png", {result.label: result.regret for result in results}, slope)
