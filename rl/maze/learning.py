"""Learning in a maze, compiled: one run or thousands at once, saved and continued exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from rl.envs import maze_sim as sim
from rl.envs.maze_layout import MazeLayout
from rl.envs.parallel import over_rows
from rl.envs.random_stream import streams_of_seeds

RULES = {"article": sim.ARTICLE, "gradient": sim.GRADIENT, "advantage": sim.ADVANTAGE}
LEAST_MAX_STEPS = 10_000


@dataclass
class Runs:
    """Everything that decides how R runs go on; each row is one run and does not depend on the others.

    theta     (R, S, 4) float64  the parameters, NaN at walls and in the goal
    value     (R, S) float64     steps expected from each cell to the goal (advantage update), 0 = not known
                                 yet
    streams   (R,) uint64        random streams
    episodes  (R,) int64         episodes played
    calm      (R,) int64         for how many episodes the policy has hardly moved
    """

    theta: np.ndarray
    value: np.ndarray
    streams: np.ndarray
    episodes: np.ndarray
    calm: np.ndarray

    def copy(self) -> Runs:
        return Runs(**{name: array.copy() for name, array in self.arrays().items()})

    def arrays(self) -> dict[str, np.ndarray]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def row(self, index: int) -> Runs:
        """One of the runs: views of its rows."""
        return Runs(**{name: array[index : index + 1] for name, array in self.arrays().items()})


@dataclass(frozen=True)
class Rule:
    """How a run learns and when it has settled.

    update      "article", "gradient" or "advantage"
    eta         step size
    stop_below  a run has settled when its policy moved less than this (sum of |new pi - old pi| over all
                cells)
    stop_after  in each of so many episodes, one after the other
    """

    update: str
    eta: float
    stop_below: float = 1e-3
    stop_after: int = 1


def begin(layout: MazeLayout, seeds: Sequence[int]) -> Runs:
    """A fresh run for each seed: theta is 1 at every open side, as in the article."""
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
    """When an episode is cut short: a random walk needs up to about S * S steps to find the goal."""
    return max(LEAST_MAX_STEPS, layout.cells**2)


def learn(
    layout: MazeLayout, runs: Runs, rule: Rule, max_episodes: int, num_threads: int = 1, record: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Continue every run, in place, until it has settled or has played `max_episodes` in all.

    record  how many episodes to keep a record of; 0 when only the outcome matters
    Returns (lengths (R, record) int64, moves (R, record) float64): steps of each episode, how far pi then
    moved. The outcome of a run is the same alone and among others, on any number of threads (0 = all cores),
    in one call or in several with growing `max_episodes`.
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
    lengths: np.ndarray,
    moves: np.ndarray,
    num_threads: int = 1,
) -> None:
    """`learn`, with the record in the caller's arrays: what was played before is left as it is."""

    def some(rows: slice) -> None:
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

    over_rows(some, len(runs.streams), num_threads)


def policy_of(theta: np.ndarray) -> np.ndarray:
    """pi (S, 4) of theta (S, 4)."""
    pi = np.zeros(theta.shape)
    sim.policy(theta, pi)
    return pi


def greedy_path(layout: MazeLayout, pi: np.ndarray) -> list[int] | None:
    """The cells from start to goal when each takes its likeliest action; None when that goes round in
    circles.
    """
    path = [layout.start]
    while path[-1] != layout.goal and len(path) <= layout.cells:
        path.append(int(layout.neighbour[path[-1], np.argmax(pi[path[-1]])]))
    return path if path[-1] == layout.goal else None


def sampled_length(layout: MazeLayout, pi: np.ndarray, stream: np.ndarray, games: int = 1000) -> float:
    """Mean number of steps of `games` episodes drawn from the policy; moves the stream (1,) on."""
    return float(
        sim.mean_length(layout.neighbour, pi, layout.start, layout.goal, max_steps(layout), games, stream)
    )
