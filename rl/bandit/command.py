"""`python -m rl.bandit`: play, print the table, write the run's folder."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rl.bandit import FIRST_ARM, Settings
from rl.bandit.algorithms import Algorithm
from rl.bandit.plots import draw_regret, draw_rewards, lai_robbins
from rl.bandit.simulation import simulate, streams_of
from rl.bandit.tally import Result, Tally, compile_simulation, complete
from rl.command.cli import exit_codes
from rl.command.errors import require
from rl.command.notes import extra
from rl.command.text import writable
from rl.command.threads import use_threads
from rl.runs.resumable import STATE, open_folder, run_pieces
from rl.runs.resume import keep_settings, parse
from rl.runs.run_folder import RESULT, write_json

SUMMARY = "Slot machines: epsilon-greedy, UCB1, and what came after them."
EXAMPLES = (
    "python -m rl.bandit",
    "python -m rl.bandit --arms 0.45 0.5 0.55 --num-time 5000",
    "python -m rl.bandit --num-sims 100000 --seed 7",
    "python -m rl.bandit --resume --num-sims 2000",
)
MAY_CHANGE = {"num_sims", "out", "num_threads", "config", "resume"}
MOST_PLAYS = 20_000_000  # of many seeds, held in memory at once: 40 MB


@exit_codes
def main(argv: list[str] | None = None) -> None:
    settings = parse("bandit", Settings, SUMMARY, EXAMPLES, argv=argv, holding=STATE, unfinished=False)
    settings.validate()
    use_threads(settings.num_threads)
    run(settings)


def run(settings: Settings) -> list[Result]:
    """Play, print the table, and write curves.csv, result.json, rewards.png and regret.png."""
    settings.validate()
    with open_folder("bandit", "rl/Bandit-v0", settings, settings.resume, MAY_CHANGE) as (folder, state):
        algorithms, slope = settings.algorithms(), lai_robbins(np.array(settings.arms))
        if state is None:
            tallies = [Tally.empty(settings) for _ in algorithms]
        else:
            tallies = [Tally(**saved) for saved in state["tallies"]]
        check_progress(folder, settings, tallies)
        results: list[Result] = []
        run_pieces(
            "bandit",
            folder,
            play_all(settings, algorithms, tallies, results),
            lambda: {"tallies": [vars(tally) for tally in tallies]},
            lambda: (
                f"{sum(tally.done for tally in tallies):,} of {len(tallies) * settings.num_sims:,} "
                "simulations"
            ),
        )
        print(
            f"In the long run the regret of an algorithm that is good on all arms grows by {slope:.2f} ln t "
            "or more."
        )
        for sentence in conclusion(results):
            print(sentence)
        write_results(folder, settings, results, slope)
    print(f"curves and pictures: {folder}")
    return results


def measure_seeds(settings: Settings, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Return the figures of `run` for each seed, many seeds in one compiled call; write nothing.

    Equal to those of the same seeds run one by one, on any number of threads.
    """
    found = [dict[str, Any]() for _ in seeds]
    at_once = max(1, MOST_PLAYS // (settings.num_sims * settings.num_time))
    for algo in settings.algorithms():
        arms = compile_simulation(algo, settings)
        for first in range(0, len(seeds), at_once):
            some, begin = seeds[first : first + at_once], time.perf_counter()
            streams = np.concatenate([streams_of(seed, settings.num_sims) for seed in some])
            chosen, rewards = simulate(algo, arms, streams, settings.num_time, settings.num_threads)
            seconds = (time.perf_counter() - begin) / len(some)
            for index in range(len(some)):
                rows = slice(index * settings.num_sims, (index + 1) * settings.num_sims)
                tally = Tally.empty(settings)
                tally.add(chosen[rows], rewards[rows])
                tally.seconds = seconds
                found[first + index][algo.label()] = tally.result(algo, settings).figures()
    return [{"algorithms": algorithms} for algorithms in found]


def check_progress(folder: Path, settings: Settings, tallies: list[Tally]) -> None:
    """Raise UsageError if the run is already finished, or has more simulations than requested."""
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


def play_all(
    settings: Settings, algorithms: list[Algorithm], tallies: list[Tally], results: list[Result]
) -> Iterator[None]:
    """Play one algorithm after the other, and print the line of each as soon as it is done."""
    size = f"{settings.num_sims} simulations of {settings.num_time} plays"
    print(f"rl.bandit: {size} on the arms {settings.arms}, seed {settings.seed}")
    print(f"{'':29}{'mean reward':>12}{'last play':>11}{'best arm':>10}{'regret':>8}{'time':>10}")
    for algo, tally in zip(algorithms, tallies):
        yield from complete(algo, settings, tally)
        result = tally.result(algo, settings)
        results.append(result)
        print(
            f"{writable(result.label):29}{result.rewards.mean():12.3f}{result.rewards[-1]:11.3f}"
            f"{result.best_arm:10.1%}{result.regret[-1]:8.2f}{1000 * result.seconds:7.1f} ms",
            flush=True,
        )


def conclusion(results: Sequence[Result]) -> Iterator[str]:
    """Say in sentences who earned most, and what the article's rule for ties costs."""
    best = max(results, key=lambda result: float(result.rewards.mean()))
    yield (
        f"{writable(best.label)} earned most: its last play was on a best arm in {best.best_arm:.1%} of the "
        "simulations."
    )
    rewards = {result.label: float(result.rewards.mean()) for result in results}
    for label, reward in rewards.items():
        at_random = label.removesuffix(FIRST_ARM)
        if label.endswith(FIRST_ARM) and at_random in rewards:
            yield (
                f"The article's ε-greedy breaks every tie in favour of arm 0, and earns {reward:.3f} a play; "
                f"with ties broken at random it earns {rewards[at_random]:.3f}."
            )


def write_results(folder: Path, settings: Settings, results: list[Result], slope: float) -> None:
    """Write curves.csv, result.json and the two pictures."""
    with open(folder / "curves.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["algorithm", "play", "mean_reward", "regret"])
        for result in results:
            for t, (reward, regret) in enumerate(zip(result.rewards, result.regret), start=1):
                table.writerow([result.label, t, f"{reward:.6g}", f"{regret:.6g}"])
    summary = {result.label: result.figures() for result in results}
    write_json(folder / "result.json", {"algorithms": summary, "lai_robbins_slope": slope})
    title = f"Slot machines {settings.arms}, {settings.num_sims} simulations"
    names = [f"{r.label}: the article's rule" * r.label.endswith(FIRST_ARM) or r.label for r in results]
    with extra("no rewards.png"):
        curves = {name: result.rewards for name, result in zip(names, results[:3])}
        draw_rewards(folder / "rewards.png", curves, title)
    with extra("no regret.png"):
        draw_regret(folder / "regret.png", {result.label: result.regret for result in results}, slope)
