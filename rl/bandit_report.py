"""What `python -m rl.bandit` does with its settings: play, print the table, write the run's folder."""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rl import bandit
from rl.bandit_plots import draw_regret, draw_rewards, lai_robbins
from rl.bandit_simulation import simulate, streams_of
from rl.core.run_folder import create, write_json
from rl.core.settings import as_dict

MOST_PLAYS = 20_000_000                                # held in memory at once: 200 MB

@dataclass
class Result:
    """What one algorithm reached; curves are means over all simulations."""

    label: str
    rewards: np.ndarray                                # (T,) reward of each play
    regret: np.ndarray                                 # (T,) sum so far of p* - p of the arms played, in coins
    best_arm: float                                    # share of simulations whose last play is on a best arm
    seconds: float                                     # for all plays, compiling left out


def measure(algo, settings: bandit.Settings) -> Result:
    """Play all simulations of one algorithm."""
    compiled(algo, settings)
    begin = time.perf_counter()
    streams = streams_of(settings.seed, settings.num_sims)
    chosen, rewards = simulate(algo, arms_of(settings), streams, settings.num_time, settings.num_threads)
    return judged(algo, settings, chosen, rewards, time.perf_counter() - begin)


def measure_seeds(settings: bandit.Settings, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """The figures of `run` for each seed, many seeds in one compiled call; no pictures, nothing written.

    Equal to those of the same seeds run one by one, on any number of threads.
    """
    found: list[dict[str, Any]] = [{} for _ in seeds]
    at_once = max(1, MOST_PLAYS // (settings.num_sims * settings.num_time))
    for algo in settings.algorithms():
        compiled(algo, settings)
        for first in range(0, len(seeds), at_once):
            begin = time.perf_counter()
            some = seeds[first : first + at_once]
            streams = np.concatenate([streams_of(seed, settings.num_sims) for seed in some])
            chosen, rewards = simulate(algo, arms_of(settings), streams, settings.num_time, settings.num_threads)
            seconds = (time.perf_counter() - begin) / len(some)
            for index in range(len(some)):
                rows = slice(index * settings.num_sims, (index + 1) * settings.num_sims)
                found[first + index][algo.label()] = figures(judged(algo, settings, chosen[rows], rewards[rows], seconds))
    return [{"algorithms": algorithms} for algorithms in found]


def compiled(algo, settings: bandit.Settings) -> None:
    """Compile it, or load what was compiled before."""
    simulate(algo, arms_of(settings), streams_of(0, 1), 1)


def arms_of(settings: bandit.Settings) -> list[bandit.SlotArm]:
    return [bandit.SlotArm(p) for p in settings.arms]


def judged(algo, settings: bandit.Settings, chosen: np.ndarray, rewards: np.ndarray, seconds: float) -> Result:
    """What the simulations (N, T) of one algorithm and seed reached."""
    chances = np.array(settings.arms)
    lost = (chances.max() - chances)[chosen]           # (N, T) what each choice costs on average
    best_arm = float((lost[:, -1] == 0).mean())
    return Result(algo.label(), rewards.mean(axis=0), lost.mean(axis=0).cumsum(), best_arm, seconds)


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
    """Play, print the table, and write curves.csv, result.json, rewards.png and regret.png into the run's folder."""
    folder = create(settings.out, "bandit", "rl/Bandit-v0", settings.seed, as_dict(settings))
    size = f"{settings.num_sims} simulations of {settings.num_time} plays"
    print(f"rl.bandit: {size} on the arms {settings.arms}, seed {settings.seed}")
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
