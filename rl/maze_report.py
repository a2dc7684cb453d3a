"""What `python -m rl.maze` does with its settings: learn, print what the article prints, write the run's folder."""

from __future__ import annotations

import csv
import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnlite.saving import atomic_write
from rl import maze
from rl.core.cli import NEWEST
from rl.core.errors import UsageError
from rl.core.run_folder import create, find, read_config, write_json
from rl.core.settings import as_dict
from rl.envs.maze_layout import MazeLayout, shortest_path
from rl.envs.maze_text import draw_maze, read_maze
from rl.envs.parallel import over_rows
from rl.envs.random_stream import Stream, streams_of
from rl.maze_learning import Rule, Runs, begin, greedy_path, learn, max_steps, policy_of, sampled_length
from rl.maze_page import write_page
from rl.maze_plots import draw_lengths, draw_policy, write_gif

SHOWN = 12                                               # episodes printed at the beginning and at the end
LAST, DRAWING = "last.safetensors", "maze.txt"           # the state of the run, and its maze
LARGEST_PRINTED = 30                                     # cells in width of a maze that is printed


@dataclasses.dataclass
class Result:
    """What a run reached."""

    folder: Path
    episodes: int
    settled: bool
    greedy_steps: int | None                             # None: the likeliest actions go round in circles
    shortest_steps: int
    sampled_steps: float                                 # mean of 1000 episodes drawn from the policy
    seconds: float


def learn_one(settings: maze.Settings) -> Result:
    """One run, from the beginning or from where --resume left it."""
    folder, settings, layout, runs = _continued(settings) if settings.resume else _fresh(settings)
    rule = settings.rule()
    _print_head(layout, rule, settings, int(runs.episodes[0]))
    learn(layout, begin(layout, [0]), rule, 1)           # compiles, or loads what was compiled before
    first, before = int(runs.episodes[0]), runs.copy()
    start = time.perf_counter()
    lengths, moves = learn(layout, runs, rule, settings.max_episodes, record=settings.max_episodes)
    seconds = time.perf_counter() - start
    episodes = int(runs.episodes[0])
    _print_episodes(lengths[0], moves[0], first, episodes)
    result = _judge(layout, runs, rule, settings.seed, folder, seconds)
    _print_result(result, layout, policy_of(runs.theta[0]))
    _write(folder, layout, runs, result, lengths[0, first:episodes], moves[0, first:episodes], first)
    if episodes > first:
        _write_replay(folder, layout, last_episode(layout, before, rule, episodes), episodes)
    print(f"policy.png, steps.png, replay.gif, replay.html: {folder}")
    if not result.settled:
        print(f"go on: python -m rl.maze --resume --out {settings.out} --max-episodes {2 * episodes}")
    return result


def learn_many(settings: maze.Settings) -> Runs:
    """Many runs in one compiled call, over the cores; prints how they spread."""
    if settings.resume:
        raise UsageError("--resume continues one run", "leave --num-runs away")
    layout, rule = settings.layout(), settings.rule()
    _print_head(layout, rule, settings, 0)
    learn(layout, begin(layout, [0]), rule, 1)
    runs = begin(layout, range(settings.seed, settings.seed + settings.num_runs))
    start = time.perf_counter()
    learn(layout, runs, rule, settings.max_episodes, settings.num_threads)
    seconds = time.perf_counter() - start
    policies = [policy_of(theta) for theta in runs.theta]
    greedy = np.array([len(path) - 1 if path else 0 for path in (greedy_path(layout, pi) for pi in policies)])
    stream = _evaluation_stream(settings.seed)
    sampled = [sampled_length(layout, pi, stream, 100) for pi in policies]
    best = len(shortest_path(layout)) - 1
    print(f"{len(greedy)} runs in {seconds:.3f} s, {1000 * seconds / len(greedy):.3f} ms each")
    print(f"settled by themselves       {np.mean(runs.calm >= rule.stop_after):.1%}")
    print(f"episodes                    {_spread(runs.episodes)}")
    print(f"greedy path is shortest     {np.mean(greedy == best):.1%} ({best} steps)")
    print(f"greedy path goes in circles {np.mean(greedy == 0):.1%}")
    print(f"sampled episodes, steps     {_spread(sampled)}")
    return runs


def measure_seeds(settings: maze.Settings, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """The figures of `learn_one` for each seed, many seeds in one compiled call; no pictures, nothing written.

    With --size every seed makes a maze of its own: then each is a call, and the calls share the cores. Equal to the same
    seeds run one by one, on any number of threads.
    """
    rule, found = settings.rule(), [dict[str, Any]() for _ in seeds]
    layouts = [dataclasses.replace(settings, seed=seed).layout() for seed in (seeds if settings.size else seeds[:1])]
    learn(layouts[0], begin(layouts[0], [0]), rule, 1)   # compiles, or loads what was compiled before

    def some(rows: slice) -> None:
        start, chosen = time.perf_counter(), seeds[rows]
        if settings.size:
            runs = [begin(layout, [seed]) for layout, seed in zip(layouts[rows], chosen)]
            for layout, run in zip(layouts[rows], runs):
                learn(layout, run, rule, settings.max_episodes)
        else:
            together = begin(layouts[0], chosen)
            learn(layouts[0], together, rule, settings.max_episodes)
            runs = [together.row(index) for index in range(len(chosen))]
        seconds = (time.perf_counter() - start) / len(chosen)
        mazes = layouts[rows] if settings.size else layouts * len(chosen)
        for index, seed, layout, run in zip(range(*rows.indices(len(seeds))), chosen, mazes, runs):
            found[index] = dataclasses.asdict(_judge(layout, run, rule, seed, Path(), seconds))

    over_rows(some, len(seeds), settings.num_threads)
    return found


def show(settings: maze.Settings) -> Path:
    """A trained walker: in a window where there is a screen, else as GIF and page in the run's folder."""
    folder = find(settings.out, "maze", settings.play, holding=LAST)
    layout, runs = read_maze(folder / DRAWING), _load(folder, read_maze(folder / DRAWING))
    pi = policy_of(runs.theta[0])
    history = maze.play(layout, pi, Stream(_evaluation_stream(settings.seed)), max_steps(layout))
    print(f"{folder}: an episode of {len(history)} steps")
    if not _in_window(layout, [action for _, action in history]):
        _write_replay(folder, layout, [cell for cell, _ in history] + [layout.goal], int(runs.episodes[0]))
        print(f"no screen for a window; written instead: {folder / 'replay.gif'} and {folder / 'replay.html'}")
    return folder


def last_episode(layout: MazeLayout, before: Runs, rule: Rule, episodes: int) -> list[int]:
    """The cells of the run's last episode: learn again up to the one before it, then walk step by step.

    Learning keeps only sums of an episode, and repeating it costs less than keeping every step.
    """
    learn(layout, before, rule, episodes - 1)
    history = maze.play(layout, policy_of(before.theta[0]), Stream(before.streams), max_steps(layout))
    last, action = history[-1]
    return [cell for cell, _ in history] + [int(layout.neighbour[last, action])]


def _fresh(settings: maze.Settings) -> tuple[Path, maze.Settings, MazeLayout, Runs]:
    layout = settings.layout()
    folder = create(settings.out, "maze", "rl/Maze-v0", settings.seed, as_dict(settings))
    return folder, settings, layout, begin(layout, [settings.seed])


def _continued(settings: maze.Settings) -> tuple[Path, maze.Settings, MazeLayout, Runs]:
    """The run's own settings, but for the limit and the threads of now."""
    wanted = settings.resume
    folder = find(settings.out, "maze", wanted if wanted != "newest" else NEWEST, holding=LAST)
    stored = maze.Settings(**read_config(folder)["settings"])
    layout = read_maze(folder / DRAWING)
    now = dataclasses.replace(
        stored, out=settings.out, max_episodes=settings.max_episodes, num_threads=settings.num_threads, resume=wanted
    )
    return folder, now, layout, _load(folder, layout)


def _load(folder: Path, layout: MazeLayout) -> Runs:
    try:
        runs = Runs.load(folder / LAST)
        if runs.theta.shape == (1, layout.cells, 4):
            return runs
    except Exception as problem:                         # safetensors has its own kinds of error for a damaged file
        raise UsageError(f"{folder / LAST} cannot be read: {problem}", "learn again: python -m rl.maze") from None
    raise UsageError(f"{folder / LAST} belongs to another maze", "learn again: python -m rl.maze")


def _evaluation_stream(seed: int) -> np.ndarray:
    """A stream (1,) that no run learns with."""
    return streams_of(seed, 2)[1:]


def _judge(layout: MazeLayout, runs: Runs, rule: Rule, seed: int, folder: Path, seconds: float) -> Result:
    pi = policy_of(runs.theta[0])
    path = greedy_path(layout, pi)
    return Result(
        folder=folder,
        episodes=int(runs.episodes[0]),
        settled=bool(runs.calm[0] >= rule.stop_after),
        greedy_steps=len(path) - 1 if path else None,
        shortest_steps=len(shortest_path(layout)) - 1,
        sampled_steps=sampled_length(layout, pi, _evaluation_stream(seed)),
        seconds=seconds,
    )


def _print_head(layout: MazeLayout, rule: Rule, settings: maze.Settings, first: int) -> None:
    since = f", from episode {first}" if first else ""
    size = f"{layout.width}x{layout.height} cells"
    print(f"rl.maze: {size}, update {rule.update}, eta {rule.eta:g}, seed {settings.seed}{since}")


def _print_episodes(lengths: np.ndarray, moves: np.ndarray, first: int, last: int) -> None:
    """The article's line for each episode: the first and the last dozen of them."""
    for episode in range(first, last):
        if first + SHOWN <= episode < last - SHOWN:
            if episode == first + SHOWN:
                print("...")
            continue
        print(f"episode {episode}: {lengths[episode]} steps, policy moved {moves[episode]:.4f}")


def _print_result(result: Result, layout: MazeLayout, pi: np.ndarray) -> None:
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


def _write(
    folder: Path, layout: MazeLayout, runs: Runs, result: Result, lengths: np.ndarray, moves: np.ndarray, first: int
) -> None:
    atomic_write(folder / LAST, runs.as_bytes())
    (folder / DRAWING).write_text(draw_maze(layout) + "\n", encoding="utf-8")
    with open(folder / "progress.csv", "a" if first else "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        if not first:
            table.writerow(["episode", "steps", "policy_moved"])
        table.writerows((first + i, int(n), f"{moved:.6g}") for i, (n, moved) in enumerate(zip(lengths, moves)))
    write_json(folder / "result.json", {**dataclasses.asdict(result), "folder": str(folder)})
    pi = policy_of(runs.theta[0])
    title = f"policy after {result.episodes} episodes: {result.greedy_steps} steps, shortest {result.shortest_steps}"
    draw_policy(folder / "policy.png", layout, pi, greedy_path(layout, pi), title)
    draw_lengths(folder / "steps.png", lengths, result.shortest_steps, first)


def _write_replay(folder: Path, layout: MazeLayout, cells: list[int], episode: int) -> None:
    write_gif(folder / "replay.gif", layout, cells)
    write_page(folder / "replay.html", layout, cells, f"Maze, episode {episode}: {len(cells) - 1} steps")


def _in_window(layout: MazeLayout, actions: list[int]) -> bool:
    """Walk in a window; False where there is no screen."""
    from rl.envs.maze import MazeEnv
    from rl.envs.window import NoScreenError

    env = MazeEnv(layout, render_mode="human")
    try:
        env.reset()
        for action in actions:
            env.step(action)
    except NoScreenError:
        return False
    finally:
        env.close()
    return True


def _spread(values) -> str:
    return f"{np.min(values):g} to {np.max(values):g}, median {np.median(values):g}"
