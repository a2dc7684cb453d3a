"""Evaluation: greedy games in separate environments, with separate seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gymnasium.vector import VectorEnv

from nnlite.arrays import Array
from rl.core.agent import Agent
from rl.core.guards import refuse
from rl.envs.goals import Goal, Outcome


@dataclass(frozen=True)
class Evaluation:
    """The result of greedy games.

    returns   (G,) float64  of the finished games, ordered by environment
    lengths   (G,) int64    steps of the finished games
    complete  all games were finished; False if the goal was out of reach and the rest was skipped
    solved    the goal is reached
    score     of two models, the one with the larger score is better
    text      the outcome in words: "20 games" or "29 caught, 1 missed"
    """

    returns: Array
    lengths: Array
    complete: bool
    solved: bool
    score: float
    text: str

    @property
    def mean(self) -> float:
        """Mean return of the finished games; NaN when none finished."""
        return float(np.mean(self.returns)) if len(self.returns) else float("nan")

    @property
    def std(self) -> float:
        """Standard deviation of the returns of the finished games; NaN when none finished."""
        return float(np.std(self.returns)) if len(self.returns) else float("nan")


class Evaluator:
    """Plays `episodes` greedy games, with new seeds at every call.

    envs      vector environment of N games that restart in the step that ends them (SAME_STEP)
    episodes  games per evaluation; each of the N plays episodes // N of them, or one more
    goal      decides whether they are good enough
    seed      evaluation k of a run resets the environment with seed + k, independently of training
    """

    def __init__(self, envs: VectorEnv, episodes: int, goal: Goal, seed: int) -> None:
        self.envs, self.episodes, self.goal, self.seed = envs, episodes, goal, seed
        self.calls = 0

    def __call__(self, agent: Agent, to_the_end: bool = False) -> Evaluation:
        """Evaluate the agent. Does not change its generators or its training.

        to_the_end  play all games, even if the goal is out of reach

        Raises FloatingPointError when a return is not finite.
        """
        observations, _ = self.envs.reset(seed=self.seed + self.calls)
        self.calls += 1
        games = _Games(self.envs.num_envs, self.episodes)
        while games.left.any() and (to_the_end or not self.goal.is_hopeless(games.losses)):
            observations, rewards, terminated, truncated, _ = self.envs.step(agent.greedy(observations))
            games.count(rewards, terminated, truncated)
        returns, lengths, outcome = games.outcome()
        refuse("return", returns, agent.steps)
        solved, score = self.goal.is_solved(outcome), self.goal.score(outcome)
        text = self.goal.describe(outcome)
        return Evaluation(returns, lengths, outcome.complete, solved, score, text)

    def close(self) -> None:
        """Close the environments."""
        self.envs.close()


class _Games:
    """The games of one evaluation: how many are left, and the outcome of the finished ones.

    left  (N,) int64  games that each of the N environments must still finish; at 0, its steps do not count
    """

    def __init__(self, count: int, episodes: int) -> None:
        self.left = np.array([len(range(i, episodes, count)) for i in range(count)])
        self.gains = self.losses = self.terminated = 0
        self._returns, self._lengths = np.zeros(count), np.zeros(count, np.int64)  # of the games in progress
        self._finished: list[list[tuple[float, int]]] = [[] for _ in range(count)]

    def count(self, rewards: Array, terminated: Array, truncated: Array) -> None:
        """Count a step of all N games."""
        running = self.left > 0
        self._returns += np.where(running, rewards, 0)
        self._lengths += running
        self.gains += int(np.sum(running & (rewards > 0)))
        self.losses += int(np.sum(running & (rewards < 0)))
        self.terminated += int(np.sum(running & terminated))
        ended = running & (terminated | truncated)
        for game in np.flatnonzero(ended):
            self._finished[game].append((float(self._returns[game]), int(self._lengths[game])))
        self._returns[ended] = 0
        self._lengths[ended] = 0
        self.left -= ended

    def outcome(self) -> tuple[Array, Array, Outcome]:
        """Return the returns and lengths of the finished games, (G,) each, and the outcome of all."""
        finished = [result for results in self._finished for result in results]
        returns = np.array([total for total, _ in finished], np.float64)
        lengths = np.array([steps for _, steps in finished], np.int64)
        complete = not self.left.any()
        return returns, lengths, Outcome(returns, self.gains, self.losses, self.terminated, complete)
