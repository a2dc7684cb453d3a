"""`python -m rl.maze`: learn one run or many, continue a run, or show what it learned."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnlite.arrays import Array
from rl.command.cli import exit_codes
from rl.command.errors import UsageError, require
from rl.command.notes import extra
from rl.command.text import fit
from rl.command.threads import use_threads
from rl.envs.maze_layout import MazeLayout
from rl.envs.maze_text import draw_maze, read_maze
from rl.envs.parallel import over_rows
from rl.envs.random_stream import Stream
from rl.maze import Rule, Settings, play, report
from rl.maze.learning import (
    Runs,
    begin,
    compile_learning,
    greedy_path,
    learn,
    max_steps,
    policy_of,
    sampled_length,
)
from rl.maze.progress import Progress
from rl.maze.replay import moments_of, show_in_window, write_replay
from rl.runs.resumable import STATE, open_folder, run_pieces
from rl.runs.resume import keep_settings, parse
from rl.runs.run_folder import RESULT, find
from rl.runs.state_file import load_state

SUMMARY = "A maze, learned by policy gradient: the article's, one of any size, or your own."
EXAMPLES = (
    "python -m rl.maze",
    "python -m rl.maze --update article --num-runs 100",
    "python -m rl.maze --size 20x20 --seed 3",
    "python -m rl.maze --maze my_maze.txt",
)
DRAWING = "maze.txt"  # the maze of the run
MAY_CHANGE = {"max_episodes", "out", "num_threads", "config", "resume", "play"}


@exit_codes
def main(argv: list[str] | None = None) -> None:
    settings = parse("maze", Settings, SUMMARY, EXAMPLES, argv=argv, holding=STATE, unfinished=False)
    settings.validate()
    use_threads(settings.num_threads)
    run(settings)


def run(settings: Settings) -> report.Result | Runs | Path:
    """Learn one run or many, or show one, as the settings say."""
    settings.validate()
    if settings.play:
        return show(settings)
    return learn_many(settings) if settings.num_runs > 1 else learn_one(settings)


def learn_one(settings: Settings) -> report.Result:
    """Learn one run, from the beginning or from where it was stopped."""
    drawn = Path(settings.resume) / DRAWING
    layout = read_maze(drawn) if settings.resume and drawn.is_file() else settings.layout()
    rule = settings.rule()
    progress = Progress.fresh(layout, rule, settings.seed, settings.max_episodes)
    with open_folder("maze", "rl/Maze-v0", settings, settings.resume, MAY_CHANGE) as (folder, state):
        if state is None:
            (folder / DRAWING).write_text(draw_maze(layout) + "\n", encoding="utf-8")
        else:
            restore(folder, settings, progress, state)
        first = progress.episodes
        report.print_head(layout, rule, settings, first)
        report.print_policy("the policy at the start", layout, progress.runs.theta[0])
        run_pieces(
            "maze", folder, progress.pieces(), progress.get_state, lambda: f"{progress.episodes:,} episodes"
        )
        report.print_episodes(progress, first)
        result = report.judge(progress, settings.seed, folder)
        report.print_result(result, layout, policy_of(progress.runs.theta[0]))
        report.print_policy("the policy that was learned", layout, progress.runs.theta[0])
        report.print_conclusion(progress, result)
        report.write_results(folder, progress, result)
        last, pi = last_episode(layout, begin(layout, [settings.seed]), rule, result.episodes)
        with extra("no replay"):
            write_replay(folder, layout, last, pi, result.episodes)
    print(fit(f"policy.png, steps.png, replay.gif, replay.html: {folder}"))
    if not result.settled:
        print(f"go on: python -m rl.maze --resume {folder} --max-episodes {2 * result.episodes}")
    return result


def restore(folder: Path, settings: Settings, progress: Progress, state: dict[str, Any]) -> None:
    """Restore the saved state. Raises UsageError when nothing is left to do."""
    try:
        progress.set_state(state)
    except (ValueError, KeyError, TypeError) as problem:
        raise UsageError(
            f"{folder} cannot be continued: {problem}", "choose a larger --max-episodes, or another run"
        ) from None
    if (folder / RESULT).exists():
        require(
            not progress.settled,
            f"the run in {folder} is finished: it has settled",
            "start a new one without --resume",
        )
        require(
            progress.episodes < settings.max_episodes,
            f"the run in {folder} is finished: {progress.episodes:,} episodes",
            "give a larger --max-episodes to go on",
        )
    keep_settings(folder, settings)
    (folder / RESULT).unlink(missing_ok=True)


def last_episode(
    layout: MazeLayout, before: Runs, rule: Rule, episodes: int
) -> tuple[list[tuple[int, int]], Array]:
    """Return the (cell, action) pairs of the run's last episode, and its policy (S, 4).

    Learning keeps only sums of an episode. Repeating it, up to the one before, costs less than storing every
    step.
    """
    learn(layout, before, rule, episodes - 1)
    pi = policy_of(before.theta[0])
    return play(layout, pi, Stream(before.streams), max_steps(layout)), pi


def learn_many(settings: Settings) -> Runs:
    """Learn many runs in one compiled call, over the cores; print how they spread."""
    layout, rule = settings.layout(), settings.rule()
    report.print_head(layout, rule, settings, 0)
    compile_learning(layout, rule)
    runs = begin(layout, range(settings.seed, settings.seed + settings.num_runs))
    start = time.perf_counter()
    learn(layout, runs, rule, settings.max_episodes, settings.num_threads)
    seconds = time.perf_counter() - start
    policies = [policy_of(theta) for theta in runs.theta]
    paths = [greedy_path(layout, pi) for pi in policies]
    greedy = np.array([len(path) - 1 if path else 0 for path in paths])
    stream = report.evaluation_stream(settings.seed)
    sampled = [sampled_length(layout, pi, stream, 100) for pi in policies]
    best = report.shortest_length(layout)
    print(f"{len(greedy)} runs in {seconds:.3f} s, {1000 * seconds / len(greedy):.3f} ms each")
    print(f"settled by themselves       {np.mean(runs.calm >= rule.stop_after):.1%}")
    print(f"episodes                    {_spread(runs.episodes)}")
    print(f"greedy path is shortest     {np.mean(greedy == best):.1%} ({best} steps)")
    print(f"greedy path goes in circles {np.mean(greedy == 0):.1%}")
    print(f"sampled episodes, steps     {_spread(sampled)}")
    return runs


def _spread(values: Array | list[float]) -> str:
    return f"{np.min(values):g} to {np.max(values):g}, median {np.median(values):g}"


def measure_seeds(settings: Settings, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Return the figures of `learn_one` for each seed, many seeds in one compiled call; write nothing.

    With --size every seed makes its own maze: then each seed is a call, and the calls share the cores. Equal
    to the same seeds run one by one, on any number of threads.
    """
    rule, found = settings.rule(), [dict[str, Any]() for _ in seeds]
    layouts = [
        dataclasses.replace(settings, seed=seed).layout() for seed in (seeds if settings.size else seeds[:1])
    ]
    compile_learning(layouts[0], rule)

    def measure_rows(rows: slice) -> None:
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
            found[index] = dataclasses.asdict(report.judge(progress, seed, Path()))

    over_rows(measure_rows, len(seeds), settings.num_threads)
    return found


def show(settings: Settings) -> Path:
    """Show a trained walker: in a window where there is a screen, else as GIF and page in its folder."""
    folder = find("maze", settings.out, settings.play, STATE)
    layout = read_maze(folder / DRAWING)
    runs = load_runs(folder, layout)
    pi = policy_of(runs.theta[0])
    history = play(layout, pi, Stream(report.evaluation_stream(settings.seed)), max_steps(layout))
    print(f"{folder}: an episode of {len(history)} steps", flush=True)
    if not show_in_window(moments_of(layout, history, pi), f"rl.maze: {len(history)} steps"):
        write_replay(folder, layout, history, pi, int(runs.episodes[0]))
        print(
            f"no screen for a window; written instead: {folder / 'replay.gif'} and {folder / 'replay.html'}"
        )
    return folder


def load_runs(folder: Path, layout: MazeLayout) -> Runs:
    """Load the run from a state file. Raises UsageError when it is damaged or belongs to another maze."""
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
