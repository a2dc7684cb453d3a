"""Greedy games that judge an agent, on environments and seeds of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from gymnasium.vector import VectorEnv

from nnlite.arrays import Array
from rl.core.agent import Agent
from rl.envs.goals import Goal


@dataclass(frozen=True)
class Evaluation:
    """What `episodes` greedy games gave. An evaluation that became hopeless is stopped early and says so."""

    returns: Array  # (games finished,) in the order of the games
    lengths: Array  # (games finished,) steps
    catches: int  # steps with a positive reward
    misses: int  # steps with a negative reward
    complete: bool  # all games were played to their ends
    cut_off: bool  # complete, and every game reached its time limit
    solved: bool
    score: float  # what the best model is chosen by
    by_misses: bool = False  # catches and misses are what it is about

    @property
    def mean(self) -> float:
        """Mean return of the finished games; NaN when none finished."""
        return float(np.mean(self.returns)) if len(self.returns) else float("nan")


class Evaluator:
    """Plays each of `episodes` greedy games once, all at the same time, with new seeds at every call.

    make_envs   makes the (observed) vector environment for N games; called once
    seed        the k-th evaluation of a run resets its games with seed + k, however the training went
    """

    def __init__(self, make_envs: Callable[[int], VectorEnv], episodes: int, goal: Goal, seed: int) -> None:
        self.envs = make_envs(episodes)
        self.episodes, self.goal, self.seed = episodes, goal, seed
        self.calls = 0

    def __call__(self, agent: Agent) -> Evaluation:
        """Judge the agent as it is now; neither its generators nor its learning are touched."""
        observations, _ = self.envs.reset(seed=self.seed + self.calls)
        self.calls += 1
        running = np.ones(self.episodes, bool)
        returns, lengths = np.zeros(self.episodes), np.zeros(self.episodes, np.int64)
        catches = misses = ends = 0
        while running.any() and not self.goal.hopeless(misses):
            observations, rewards, terminated, truncated, _ = self.envs.step(agent.greedy(observations))
            returns += np.where(running, rewards, 0)
            lengths += running
            catches += int(np.sum(running & (rewards > 0)))
            misses += int(np.sum(running & (rewards < 0)))
            ends += int(np.sum(running & terminated))
            running &= ~(terminated | truncated)
        complete = not running.any()
        finished = returns[~running]
        cut_off = complete and ends == 0
        return Evaluation(
            finished,
            lengths[~running],
            catches,
            misses,
            complete,
            cut_off,
            complete and self.goal.solved(finished, misses, cut_off),
            self.goal.score(finished, catches, misses),
            self.goal.max_misses is not None,
        )

    def close(self) -> None:
        """Give the environments back."""
        self.envs.close()
