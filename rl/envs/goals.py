"""Goals: when an environment counts as solved, and how two evaluations of it compare.

An environment states its goal in its metadata: `metadata = {"goal": Misses(2)}`. Any other environment is
judged by its mean return, against Gymnasium's `reward_threshold` where its registration has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from gymnasium.vector import VectorEnv

from nnlite.arrays import Array
from rl.command.errors import require
from rl.envs.actions import spec_of


@dataclass(frozen=True)
class Outcome:
    """The result of the greedy games of an evaluation, as a goal judges it.

    returns     (G,) float64  of the finished games
    gains       steps with a positive reward, in all games
    losses      steps with a negative reward, in all games
    terminated  finished games that terminated; the others reached their time limit
    complete    all games are finished
    """

    returns: Array
    gains: int
    losses: int
    terminated: int
    complete: bool


class Goal(Protocol):
    """The aim of training on an environment."""

    @property
    def text(self) -> str:
        """The goal in words."""

    def is_hopeless(self, losses: int) -> bool:
        """Return whether an evaluation with this number of losses can no longer reach the goal."""

    def is_solved(self, outcome: Outcome) -> bool:
        """Return whether the goal is reached."""

    def score(self, outcome: Outcome) -> float:
        """Return the number that decides between two models, the larger the better."""

    def describe(self, outcome: Outcome) -> str:
        """Return the outcome in words."""


@dataclass(frozen=True)
class MeanReturn:
    """A mean return of at least `threshold`; None: the larger the better, and never solved."""

    threshold: float | None = None

    @property
    def text(self) -> str:
        return "best mean return" if self.threshold is None else f"mean return >= {self.threshold:g}"

    def is_hopeless(self, losses: int) -> bool:
        return False

    def is_solved(self, outcome: Outcome) -> bool:
        return outcome.complete and self.threshold is not None and self.score(outcome) >= self.threshold

    def score(self, outcome: Outcome) -> float:
        return float(np.mean(outcome.returns)) if len(outcome.returns) else -np.inf

    def describe(self, outcome: Outcome) -> str:
        return f"{len(outcome.returns)} games"


@dataclass(frozen=True)
class Misses:
    """At most `most` misses in all games, each of which reaches its time limit.

    A miss is a step with a negative reward, a catch one with a positive reward. For games whose mean return
    depends on luck even for a perfect player.
    """

    most: int

    @property
    def text(self) -> str:
        return f"every game to its time limit, with at most {self.most} misses in all"

    def is_hopeless(self, losses: int) -> bool:
        return losses > self.most

    def is_solved(self, outcome: Outcome) -> bool:
        return outcome.complete and outcome.terminated == 0 and outcome.losses <= self.most

    def score(self, outcome: Outcome) -> float:
        """Return the share of fruits caught, 0 to 1."""
        return outcome.gains / max(outcome.gains + outcome.losses, 1)

    def describe(self, outcome: Outcome) -> str:
        return f"{outcome.gains} caught, {outcome.losses} missed"


def goal_of(envs: VectorEnv) -> Goal:
    """Return the goal in the environment's metadata, else the mean return that its registration asks for."""
    goal: Goal | None = envs.metadata.get("goal")
    if goal is not None:
        what = f"metadata['goal'] of the environment is {goal!r}"
        require(hasattr(goal, "is_solved"), what, "give a goal of rl.envs.goals, Misses(2) for example")
        return goal
    spec = spec_of(envs)
    return MeanReturn(None if spec is None else spec.reward_threshold)
