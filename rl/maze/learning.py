"""Learning in a maze, compiled: one run or thousands at once, which can be saved and continued exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from nnlite.arrays import Array
from rl.envs import maze_sim as sim
from rl.envs.maze_layout import MazeLayout
from rl.envs.parallel import over_rows
from rl.envs.random_stream import streams_of_seeds
from rl.maze import Rule

RULES = {"article": sim.ARTICLE, "gradient": sim.GRADIENT, "advantage": sim.ADVANTAGE}
LEAST_MAX_STEPS = 10_000


@dataclass
class Runs:
    """The state of R runs; each row is one run, independent of the others.

    theta     (R, S, 4) float64  the parameters, NaN at walls and in the goal
    value     (R, S) float64     steps expected from each cell to the goal (advantage update), 0 = unknown
    streams   (R,) uint64        random streams
    episodes  (R,) int64         episodes played
    calm      (R,) int64         calm episodes in a row, up to now
    """

    theta: Array
    value: Array
    streams: Array
    episodes: Array
    calm: Array

    def arrays(self) -> dict[str, Array]:
        """Return the arrays by their names."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def row(self, index: int) -> Runs:
        """Return one of the runs: views of its rows."""
        return Runs(**{name: array[index : index + 1] for name, array in self.arrays().items()})


def begin(layout: MazeLayout, seeds: Sequence[int]) -> Runs:
    """Begin a run for each seed: theta is 1 at every open side, as in the article."""
    theta = np.where(layout.neighbour >= 0, 1.0, np.nan)
    theta[layout.goal] = np.nan
    count = len(seeds)
    return Runs(
        theta=np.repeat(theta[None], count, axis=0),
        value=np.zeros((count, layout.cells)),
        streams=streams_of_seeds(seeds),
        episodes=np.zeros(count, np.int64),
        calm=np.zeros(count, np.int64),
    )


def max_steps(layout: MazeLayout) -> int:
    """Return the step limit of an episode: a random walk needs up to about S * S steps to the goal."""
    return max(LEAST_MAX_STEPS, layout.cells**2)


def learn(
    layout: MazeLayout, runs: Runs, rule: Rule, max_episodes: int, num_threads: int = 1, record: int = 0
) -> tuple[Array, Array]:
    """Continue every run, in place, until it has settled or has played `max_episodes` in all.

    record  number of episodes to record; 0 when only the outcome matters

    Returns (lengths (R, record) int64, moves (R, record) float64): steps of each episode, and how far it
    moved pi. The outcome of a run is the same alone and among others, on any number of threads (0 = all
    cores), in one call or in several with growing `max_episodes`.
    """
    count = len(runs.streams)
    lengths, moves = np.zeros((count, record), np.int64), np.zeros((count, record))
    learn_into(layout, runs, rule, max_episodes, lengths, moves, num_threads)
    return lengths, moves


def learn_into(
    layout: MazeLayout,
    runs: Runs,
    rule: Rule,
    max_episodes: int,
    lengths: Array,
    moves: Array,
    num_threads: int = 1,
) -> None:
    """Learn as `learn` does, and record into the caller's arrays; entries of earlier episodes stay."""

    def learn_rows(rows: slice) -> None:
        sim.learn(
            layout.neighbour,
            layout.start,
            layout.goal,
            RULES[rule.update],
            float(rule.eta),
            float(rule.stop_below),
            rule.stop_after,
            max_steps(layout),
            max_episodes,
            runs.theta[rows],
            runs.value[rows],
            runs.streams[rows],
            runs.episodes[rows],
            runs.calm[rows],
            lengths[rows],
            moves[rows],
        )

    over_rows(learn_rows, len(runs.streams), num_threads)


def compile_learning(layout: MazeLayout, rule: Rule) -> None:
    """Have numba compile the learning, or load what it compiled before."""
    learn(layout, begin(layout, [0]), rule, 1)


def policy_of(theta: Array) -> Array:
    """Return the policy pi (S, 4) of theta (S, 4)."""
    pi = np.zeros(theta.shape)
    sim.policy(theta, pi)
    return pi


def greedy_path(layout: MazeLayout, pi: Array) -> list[int] | None:
    """Return the cells from start to goal by the likeliest actions; None when these go round in circles."""
    path = [layout.start]
    while path[-1] != layout.goal and len(path) <= layout.cells:
        path.append(int(layout.neighbour[path[-1], np.argmax(pi[path[-1]])]))
    return path if path[-1] == layout.goal else None


def sampled_length(layout: MazeLayout, pi: Array, stream: Array, games: int = 1000) -> float:
    """Return the mean steps of `games` episodes drawn from the policy. stream (1,) uint64 IN/OUT."""
    return float(
        sim.mean_length(layout.neighbour, pi, layout.start, layout.goal, max_steps(layout), games, stream)
    )
