"""AlphaZero 2: a maze.

Question: from the start to the goal of a maze, knowing only which sides of each cell are open. Which path is
good, when all that is ever seen is the length of the whole walk?

Method: policy gradient without a network. A table theta (cell, action) gives the policy pi = softmax(theta).
An episode walks by it from start to goal; then theta changes a little, once. The run has settled when an
episode moves the policy less than 1e-3 (sum of all changes of pi). Three updates, with n_ij = how often the
episode of T steps took action j in cell i, and n_i = how often it was in cell i:

    gradient   theta_ij += eta (n_ij - pi_ij n_i) / T
               the default. The gradient of ln pi(episode), weighted with 1/T: short episodes count for more
    article    theta_ij += eta (n_ij + pi_ij n_i) / T
               the listing's sign. No gradient: likely actions become likelier, taken or not
    advantage  theta_ij += eta max(-1, 1 - to_go_ij / value_i)
               for mazes of any size. to_go_ij is the mean number of steps from taking j in i to the end.
               value_i, the baseline, is a running mean (rate 0.1) of the steps needed from cell i

The first two credit each step with the length of the whole walk, which in a large maze says next to nothing
about one step. The third compares, cell by cell, what came after each action with what was expected there:
policy gradient with a state-dependent baseline, scaled for each cell by 1 / (value_i pi_i n_i), as the
natural gradient does for a softmax.

Source: the article "AlphaZero 2", after the book of the same series; Williams 1992 for the gradient, Kakade
2002 for the natural one.

Expected: the article's maze settles by itself on the 4-step path, after 263 to 656 episodes with the default.
docs/results/maze.md has the figures of all updates, larger mazes and times.

Differences from the listing:
- The sign, above. Where every walk ends soon and few cells offer a choice, the article's sign works, and
  faster. In larger mazes it can make a habit of its early walks. `--update article` is the listing's rule.
- The step size. With the right sign and the listing's 0.1 the policy moves less than 1e-3 only after the
  listing's limit of 1,000 episodes. The default is 1, which also ends closer to 4 steps. The limit is 50,000.
- An episode is truncated after max(10,000, S * S) steps in a maze of S cells. The first two updates then
  learn nothing from it. The third adds the steps it expects from the last cell on.
- The advantage update counts as settled only after 10 such episodes in a row: an episode that goes just as
  expected moves nothing, so a single one proves nothing.
- One seed fixes the run; the listing has none. The state that a run needs is saved; --resume continues it
  exactly.
- The listing animates its last episode with matplotlib; here a page of a few kilobytes and a GIF show it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nnlite.arrays import Array
from rl.command.errors import UsageError, require
from rl.command.settings import RunName, require_at_least
from rl.command.settings import Settings as CommonSettings
from rl.envs.maze_layout import MazeLayout, generate_maze
from rl.envs.maze_text import article_maze, read_maze
from rl.envs.random_numbers import RandomNumbers

ETA = {"article": 0.1, "gradient": 1.0, "advantage": 0.02}  # the step size of each update
MOST_CELLS = 40_000  # 200x200: a random walk takes minutes
STOP_AFTER = {"article": 1, "gradient": 1, "advantage": 10}  # calm episodes in a row that count as settled


@dataclass(frozen=True)
class Rule:
    """How a run learns and when it has settled.

    update      "article", "gradient" or "advantage"
    eta         step size
    stop_below  an episode is calm when it moves the policy less than this: sum of |new pi - old pi|
    stop_after  calm episodes in a row that count as settled
    """

    update: str
    eta: float
    stop_below: float = 1e-3
    stop_after: int = 1


def get_pi(theta: Array) -> Array:
    """Return the policy pi (S, 4), the softmax of each row of theta (S, 4); a wall, NaN, gets 0."""
    weights = np.nan_to_num(np.exp(theta))
    total = weights.sum(axis=1, keepdims=True)  # 0 in the goal: no way leads out
    return np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)


def get_a(pi: Array, s: int, rng: RandomNumbers) -> int:
    """Draw an action 0 to 3 with chance pi[s, a]; takes one random number."""
    return int(np.searchsorted(np.cumsum(pi[s]), rng.random(), side="right"))


def play(layout: MazeLayout, pi: Array, rng: RandomNumbers, max_steps: int) -> list[tuple[int, int]]:
    """Play one episode; return its (cell, action) pairs. It ends at the goal or after max_steps."""
    s = layout.start
    history: list[tuple[int, int]] = []
    while s != layout.goal and len(history) < max_steps:
        a = get_a(pi, s, rng)
        history.append((s, a))
        s = int(layout.neighbour[s, a])
    return history


def update_theta(theta: Array, pi: Array, history: list[tuple[int, int]], eta: float, sign: float) -> Array:
    """Return theta_ij + eta * (n_ij + sign * pi_ij * n_i) / steps.

    n_ij counts action j in cell i, n_i all visits of cell i. Sign -1 is the policy gradient, +1 the listing's
    rule.
    """
    n = np.zeros(theta.shape)
    for s, a in history:
        n[s, a] += 1
    return theta + eta * (n + sign * pi * n.sum(axis=1, keepdims=True)) / len(history)


@dataclass(frozen=True)
class Settings(CommonSettings):
    """A maze, learned by policy gradient."""

    size: str = ""
    """a maze made from --seed, WIDTHxHEIGHT: 20x20"""
    maze: str = ""
    """a maze drawn in a text file; neither flag = the article's maze"""
    update: Literal["auto", "article", "gradient", "advantage"] = "auto"
    """auto = gradient in the article's maze, else advantage"""
    eta: float = 0.0
    """step size; 0 = the update's own: article 0.1, gradient 1, advantage 0.02"""
    stop_below: float = 1e-3
    """settled when the policy moves less than this in an episode"""
    max_episodes: int = 50_000
    """stop here even if not settled"""
    num_runs: int = 1
    """learn this often, with the seeds seed, seed + 1, ... (one maze), and show the spread"""
    resume: RunName = RunName("")
    """continue a run: the newest, or that folder"""
    play: RunName = RunName("")
    """show a trained walker: the newest run's, or that folder's"""

    def validate(self) -> None:
        super().validate()
        require(not (self.size and self.maze), "--size and --maze are both given", "choose one maze")
        require(
            0 <= self.eta < float("inf"),
            f"--eta is {self.eta}",
            "give a number > 0, or 0 for the update's own",
        )
        require(not self.resume or self.num_runs == 1, "--resume continues one run", "leave --num-runs away")
        require(
            self.stop_below >= 0, f"--stop-below is {self.stop_below}", "give a number >= 0; 0 never settles"
        )
        for name in ("max_episodes", "num_runs"):
            require_at_least(self, name, 1)

    def layout(self) -> MazeLayout:
        """Return the maze. Raises UsageError or ValueError when there is no such maze."""
        if self.maze:
            try:
                return read_maze(self.maze)
            except (OSError, UnicodeDecodeError) as problem:
                what = f"cannot read the maze {self.maze}: {problem}"
                raise UsageError(what, "name a text file with a drawing; --size makes a maze") from None
        if not self.size:
            return article_maze()
        width, _, height = self.size.lower().partition("x")
        numbers = width.isdecimal() and height.isdecimal()
        if not numbers or not 2 <= int(width) * int(height) <= MOST_CELLS:
            remedy = f"give WIDTHxHEIGHT with 2 to {MOST_CELLS} cells, 20x20 for example"
            raise UsageError(f"--size is {self.size!r}", remedy)
        rng = np.random.default_rng(np.random.SeedSequence(self.seed).spawn(1)[0])
        return generate_maze(int(height), int(width), rng)

    def rule(self) -> Rule:
        """Return the update, its step size, and when it counts as settled."""
        update = self.update
        if update == "auto":
            update = "advantage" if self.size or self.maze else "gradient"
        return Rule(update, self.eta or ETA[update], self.stop_below, STOP_AFTER[update])
