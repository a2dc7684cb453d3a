"""The report of a run in the maze: its figures, what is printed, and the files of its folder."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np

from nnlite.arrays import Array
from rl.command.notes import extra
from rl.envs.maze_layout import MazeLayout, shortest_path
from rl.envs.maze_text import draw_maze
from rl.envs.random_stream import streams_of
from rl.maze import Rule, Settings
from rl.maze.learning import greedy_path, policy_of, sampled_length
from rl.maze.plots import draw_lengths, draw_policy
from rl.maze.progress import Progress
from rl.runs.run_folder import RESULT, write_json

SHOWN = 12  # episodes printed at the beginning and at the end
LARGEST_PRINTED = 30  # cells in width of a maze that is printed
MOST_ROWS = 9  # cells of a maze whose policy is printed as a table: the article's has nine


@dataclasses.dataclass
class Result:
    """The figures of a run, as in result.json."""

    folder: Path
    episodes: int
    settled: bool
    greedy_steps: int | None  # None: the likeliest actions go round in circles
    shortest_steps: int
    sampled_steps: float  # mean of 1000 episodes drawn from the policy
    seconds: float


def judge(progress: Progress, seed: int, folder: Path) -> Result:
    """Measure the policy that was learned."""
    layout, pi = progress.layout, policy_of(progress.runs.theta[0])
    path = greedy_path(layout, pi)
    return Result(
        folder=folder,
        episodes=progress.episodes,
        settled=progress.settled,
        greedy_steps=len(path) - 1 if path else None,
        shortest_steps=shortest_length(layout),
        sampled_steps=sampled_length(layout, pi, evaluation_stream(seed)),
        seconds=progress.seconds,
    )


def shortest_length(layout: MazeLayout) -> int:
    """Return the steps of the shortest path; read_maze and generate_maze make sure that there is one."""
    return len(shortest_path(layout) or ()) - 1


def evaluation_stream(seed: int) -> Array:
    """Return a stream (1,) that no run learns with."""
    return streams_of(seed, 2)[1:]


def print_head(layout: MazeLayout, rule: Rule, settings: Settings, first: int) -> None:
    """Print maze, update and seed, and the episode from which a resumed run continues."""
    since = f", from episode {first}" if first else ""
    size = f"{layout.width}x{layout.height} cells"
    print(f"rl.maze: {size}, update {rule.update}, eta {rule.eta:g}, seed {settings.seed}{since}")
    if rule.update != "article":
        print("the article's own update, with its sign: --update article")


def print_episodes(progress: Progress, first: int) -> None:
    """Print the article's line for the first and the last dozen of the episodes from `first` on."""
    last = progress.episodes
    for episode in range(first, last):
        if first + SHOWN <= episode < last - SHOWN:
            if episode == first + SHOWN:
                print("...")
            continue
        steps, moved = progress.lengths[episode], progress.moves[episode]
        print(f"episode {episode}: {steps} steps, policy moved {moved:.4f}")


def print_policy(title: str, layout: MazeLayout, theta: Array) -> None:
    """Print theta (S, 4) and pi of each cell of a small maze, as the article does."""
    if layout.cells > MOST_ROWS:
        return
    print(f"{title}; - is a wall, cell {layout.goal} the goal")
    sides = f"{'right':>7}{'down':>7}{'left':>7}"
    print(f"cell {'theta: up':>9}{sides} {'pi: up':>9}{sides}")
    for cell, (weights, chances) in enumerate(zip(theta, policy_of(theta))):
        is_open = ~np.isnan(weights)
        left, right = (
            "".join(f"{number:7.2f}" if free else f"{'-':>7}" for number, free in zip(row, is_open))
            for row in (weights, chances)
        )
        print(f"{cell:4}   {left}   {right}")


def print_result(result: Result, layout: MazeLayout, pi: Array) -> None:
    """Print the maze with the greedy path, and the figures."""
    how = "settled by itself" if result.settled else "not settled"
    print(f"{how} after {result.episodes} episodes, {1000 * result.seconds:.2f} ms")
    path = greedy_path(layout, pi)
    if layout.width <= LARGEST_PRINTED:
        print(draw_maze(layout, path or ()))
    cells = " ".join(map(str, path)) if path and len(path) <= SHOWN else ""
    greedy = f"{result.greedy_steps} steps" if path else "none, it goes round in circles"
    print(f"greedy path          {greedy:10} {cells}")
    print(f"shortest, by search  {result.shortest_steps} steps")
    print(f"sampled episodes     {result.sampled_steps:.2f} steps (mean of 1000)")


def print_conclusion(progress: Progress, result: Result) -> None:
    """Say in a sentence what was learned."""
    first, last = progress.lengths[0], progress.lengths[result.episodes - 1]
    path = f"The learned path is the shortest, {result.shortest_steps} steps."
    if result.greedy_steps is None:
        path = "The likeliest actions alone still go round in circles."
    elif result.greedy_steps > result.shortest_steps:
        steps = f"{result.greedy_steps} steps; {result.shortest_steps} are enough"
        path = f"The learned path is a detour of {steps}."
    print(f"Episode 0 took {first:,} steps to the goal, the last one {last:,}. {path}")


def write_results(folder: Path, progress: Progress, result: Result) -> None:
    """Write progress.csv, result.json, policy.png and steps.png."""
    layout, lengths = progress.layout, progress.lengths[: progress.episodes]
    with open(folder / "progress.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["episode", "steps", "policy_moved"])
        table.writerows(
            (i, int(n), f"{moved:.6g}") for i, (n, moved) in enumerate(zip(lengths, progress.moves))
        )
    write_json(folder / RESULT, {**dataclasses.asdict(result), "folder": str(folder)})
    pi = policy_of(progress.runs.theta[0])
    title = (
        f"policy after {result.episodes} episodes: {result.greedy_steps} steps, shortest "
        f"{result.shortest_steps}"
    )
    with extra("no policy.png"):
        draw_policy(folder / "policy.png", layout, pi, greedy_path(layout, pi), title)
    with extra("no steps.png"):
        draw_lengths(folder / "steps.png", lengths, result.shortest_steps)
