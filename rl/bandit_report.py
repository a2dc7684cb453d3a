"""What `python -m rl.bandit` does with its settings: play, print the table, write the run's folder."""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rl import bandit
from rl.bandit_algorithms import Algorithm
from rl.bandit_plots import draw_regret, draw_rewards, lai_robbins
from rl.bandit_simulation import simulate, streams_of
from rl.core.run_folder import create, write_json
from rl.core.settings import as_dict


@dataclass
class Result:
    """What one algorithm reached; curves are means over all simulations."""

    label: str
    rewards: np.ndarray                                # (T,) reward of each play
    regret: np.ndarray                                 # (T,) sum so far of p* - p of the arms played, in coins
    best_arm: float                                    # share of simulations whose last play is on a best arm
    seconds: float                                     # for all plays, compiling left out


def measure(algo: Algorithm, settings: bandit.Settings) -> Result:
    """Play all simulations of one algorithm."""
    arms, chances = [bandit.SlotArm(p) for p in settings.arms], np.array(settings.arms)
    simulate(algo, arms, streams_of(0, 1), 1)          # compiles, or loads what was compiled before
    begin = time.perf_counter()
    streams = streams_of(settings.seed, settings.num_sims)
    chosen, rewards = simulate(algo, arms, streams, settings.num_time, settings.num_threads)
    seconds = time.perf_counter() - begin
    lost = (chances.max() - chances)[chosen]           # (N, T) what each choice costs on average
    best_arm = float((lost[:, -1] == 0).mean())
    return Result(algo.label(), rewards.mean(axis=0), lost.mean(axis=0).cumsum(), best_arm, seconds)


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
    write_json(folder / "result.json", {"algorithms": summary, "lai_robbins_slope": slope})
    title = f"Slot machines {settings.arms}, {settings.num_sims} simulations"
    draw_rewards(folder / "rewards.png", {result.label: result.rewards for result in results[:3]}, title)
    draw_regret(folder / "regret.png", {result.label: result.regret for result in results}, slope)
