"""What `python -m rl.maze` does with its settings: learn, print what the article prints, write the run's
folder.
"""

from __future__ import annotations

import csv
import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rl import maze
from rl.command.errors import UsageError, require
from rl.envs.maze_layout import MazeLayout, shortest_path
from rl.envs.maze_text import draw_maze, read_maze
from rl.envs.parallel import over_rows
from rl.envs.random_stream import Stream, streams_of
from rl.maze.learning import Rule, Runs, begin, greedy_path, learn, max_steps, policy_of, sampled_length
from rl.maze.page import write_page
from rl.maze.plots import draw_lengths, draw_policy, write_gif
from rl.maze.progress import Progress
from rl.runs.resumable import STATE, in_pieces, opened
from rl.runs.resume import keep_settings
from rl.runs.run_folder import RESULT, find, write_json
from rl.runs.state_file import load_state

SHOWN = 12  # episodes printed at the beginning and at the end
DRAWING = "maze.txt"  # the maze of the run
MAY_CHANGE = {"max_episodes", "out", "num_threads", "config", "resume", "play"}
LARGEST_PRINTED = 30  # cells in width of a maze that is printed


@dataclasses.dataclass
class Result:
    """What a run reached."""

    folder: Path
    episodes: int
    settled: bool
    greedy_steps: int | None  # None: the likeliest actions go round in circles
    shortest_steps: int
    sampled_steps: float  # mean of 1000 episodes drawn from the policy
    seconds: float


def learn_one(settings: maze.Settings) -> Result:
    """One run, from the beginning or from where it was stopped."""
    layout = read_maze(Path(settings.resume) / DRAWING) if settings.resume else settings.layout()
    rule = settings.rule()
    progress = Progress.fresh(layout, rule, settings.seed, settings.max_episodes)
    with opened("maze", "rl/Maze-v0", settings, settings.resume, MAY_CHANGE) as (folder, state):
        if state is None:
            (folder / DRAWING).write_text(draw_maze(layout) + "\n", encoding="utf-8")
        else:
            _go_on(folder, settings, progress, state)
        first = progress.episodes
        _print_head(layout, rule, settings, first)
        in_pieces(
            "maze", folder, progress.pieces(), progress.get_state, lambda: f"{progress.episodes:,} episodes"
        )
        _print_episodes(progress, first)
        result = _judge(progress, settings.seed, folder)
        _print_result(result, layout, policy_of(progress.runs.theta[0]))
        _write(folder, progress, result)
        last = last_episode(layout, begin(layout, [settings.seed]), rule, result.episodes)
        _write_replay(folder, layout, last, result.episodes)
    print(f"policy.png, steps.png, replay.gif, replay.html: {folder}")
    if not result.settled:
        print(f"go on: python -m rl.maze --resume {folder} --max-episodes {2 * result.episodes}")
    return result


def _go_on(folder: Path, settings: maze.Settings, progress: Progress, state: dict[str, Any]) -> None:
    """Take the saved state over; raises UsageError when nothing is left to do."""
    try:
        progress.set_state(state)
    except (ValueError, KeyError, TypeError) as problem:
        raise UsageError(
            f"{folder} cannot be gone on with: {problem}", "choose a larger --max-episodes, or another run"
        ) from None
    if (folder / RESULT).exists():
        require(
            not progress.settled,
            f"the run in {folder} is finished: it has settled",
            "start a new one without --resume",
        )
        remedy = "give a larger --max-episodes to go on"
        require(
            progress.episodes < settings.max_episodes,
            f"the run in {folder} is finished: {progress.episodes:,} episodes",
            remedy,
        )
    keep_settings(folder, settings)
    (folder / RESULT).unlink(missing_ok=True)


def learn_many(settings: maze.Settings) -> Runs:
    """Many runs in one compiled call, over the cores; prints how they spread."""
    layout, rule = settings.layout(), settings.rule()
    _print_head(layout, rule, settings, 0)
    learn(layout, begin(layout, [0]), rule, 1)
    runs = begin(layout, range(settings.seed, settings.seed + settings.num_runs))
    start = time.perf_counter()
    learn(layout, runs, rule, settings.max_episodes, settings.num_threads)
    seconds = time.perf_counter() - start
    policies = [policy_of(theta) for theta in runs.theta]
    paths = [greedy_path(layout, pi) for pi in policies]
    greedy = np.array([len(path) - 1 if path else 0 for path in paths])
    stream = _evaluation_stream(settings.seed)
    sampled = [sampled_length(layout, pi, stream, 100) for pi in policies]
    best = shortest_length(layout)
    print(f"{len(greedy)} runs in {seconds:.3f} s, {1000 * seconds / len(greedy):.3f} ms each")
    print(f"settled by themselves       {np.mean(runs.calm >= rule.stop_after):.1%}")
    print(f"episodes                    {_spread(runs.episodes)}")
    print(f"greedy path is shortest     {np.mean(greedy == best):.1%} ({best} steps)")
    print(f"greedy path goes in circles {np.mean(greedy == 0):.1%}")
    print(f"sampled episodes, steps     {_spread(sampled)}")
    return runs


def measure_seeds(settings: maze.Settings, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """The figures of `learn_one` for each seed, many seeds in one compiled call; no pictures, nothing
    written.

    With --size every seed makes a maze of its own: then each is a call, and the calls share the cores. Equal
    to the same seeds run one by one, on any number of threads.
    """
    rule, found = settings.rule(), [dict[str, Any]() for _ in seeds]
    layouts = [
        dataclasses.replace(settings, seed=seed).layout() for seed in (seeds if settings.size else seeds[:1])
    ]
    learn(layouts[0], begin(layouts[0], [0]), rule, 1)  # compiles, or loads what was compiled before

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
            progress = Progress(layout, rule, run, np.zeros(0, np.int64), np.zeros(0), seconds)
            found[index] = dataclasses.asdict(_judge(progress, seed, Path()))

    over_rows(some, len(seeds), settings.num_threads)
    return found


def show(settings: maze.Settings) -> Path:
    """A trained walker: in a window where there is a screen, else as GIF and page in the run's folder."""
    folder = find("maze", settings.out, settings.play, STATE)
    layout, runs = read_maze(folder / DRAWING), _load(folder, read_maze(folder / DRAWING))
    pi = policy_of(runs.theta[0])
    history = maze.play(layout, pi, Stream(_evaluation_stream(settings.seed)), max_steps(layout))
    print(f"{folder}: an episode of {len(history)} steps")
    if not _in_window(layout, [action for _, action in history]):
        _write_replay(folder, layout, [cell for cell, _ in history] + [layout.goal], int(runs.episodes[0]))
        print(
            f"no screen for a window; written instead: {folder / 'replay.gif'} and {folder / 'replay.html'}"
        )
    return folder


def last_episode(layout: MazeLayout, before: Runs, rule: Rule, episodes: int) -> list[int]:
    """The cells of the run's last episode: learn again up to the one before it, then walk step by step.

    Learning keeps only sums of an episode, and repeating it costs less than keeping every step.
    """
    learn(layout, before, rule, episodes - 1)
    history = maze.play(layout, policy_of(before.theta[0]), Stream(before.streams), max_steps(layout))
    last, action = history[-1]
    return [cell for cell, _ in history] + [int(layout.neighbour[last, action])]


def _load(folder: Path, layout: MazeLayout) -> Runs:
    """The run that a state holds."""
    try:
        runs = Runs(**load_state(folder / STATE)["runs"])
    except (ValueError, OSError, KeyError, TypeError) as problem:
        raise UsageError(
            f"{folder / STATE} cannot be read: {problem}", "learn again: python -m rl.maze"
        ) from None
    require(
        runs.theta.shape == (1, layout.cells, 4),
        f"{folder / STATE} belongs to another maze",
        "learn again: python -m rl.maze",
    )
    return runs


def shortest_length(layout: MazeLayout) -> int:
    """Steps of the shortest way; read_maze and generate_maze see to it that there is one."""
    return len(shortest_path(layout) or ()) - 1


def _evaluation_stream(seed: int) -> np.ndarray:
    """A stream (1,) that no run learns with."""
    return streams_of(seed, 2)[1:]


def _judge(progress: Progress, seed: int, folder: Path) -> Result:
    layout, pi = progress.layout, policy_of(progress.runs.theta[0])
    path = greedy_path(layout, pi)
    return Result(
        folder=folder,
        episodes=progress.episodes,
        settled=progress.settled,
        greedy_steps=len(path) - 1 if path else None,
        shortest_steps=shortest_length(layout),
        sampled_steps=sampled_length(layout, pi, _evaluation_stream(seed)),
        seconds=progress.seconds,
    )


def _print_head(layout: MazeLayout, rule: Rule, settings: maze.Settings, first: int) -> None:
    since = f", from episode {first}" if first else ""
    size = f"{layout.width}x{layout.height} cells"
    print(f"rl.maze: {size}, update {rule.update}, eta {rule.eta:g}, seed {settings.seed}{since}")


def _print_episodes(progress: Progress, first: int) -> None:
    """The article's line for each episode from `first` on: the first and the last dozen of them."""
    last = progress.episodes
    for episode in range(first, last):
        if first + SHOWN <= episode < last - SHOWN:
            if episode == first + SHOWN:
                print("...")
            continue
        print(
            f"episode {episode}: {progress.lengths[episode]} steps, policy moved "
            f"{progress.moves[episode]:.4f}"
        )


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


def _write(folder: Path, progress: Progress, result: Result) -> None:
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
    draw_policy(folder / "policy.png", layout, pi, greedy_path(layout, pi), title)
    draw_lengths(folder / "steps.png", lengths, result.shortest_steps)


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


def _spread(values: np.ndarray | list[float]) -> str:
    return f"{np.min(values):g} to {np.max(values):g}, median {np.median(values):g}"
