"""AlphaZero 2: a maze.

Question: from the start to the goal of a maze, knowing only which sides of each cell are open. What is a good
way, when all that is ever seen is how long the whole walk was?

Method: policy gradient without a network. A table theta (cell, action) gives the policy pi = softmax(theta);
an episode walks by it from start to goal; then theta changes a little, once; the run has settled when an
episode moves the policy less than 1e-3 (sum of all changes of pi). Three updates, with n_ij = how often the
episode of T steps took action j in cell i, and n_i = how often it was in cell i:

    gradient   theta_ij += eta (n_ij - pi_ij n_i) / T
               the default. The gradient of ln pi(episode), weighted with 1/T: short episodes count for more
    article    theta_ij += eta (n_ij + pi_ij n_i) / T
               the listing's sign. No gradient: what is likely is made likelier whether it was done or not
    advantage  theta_ij += eta max(-1, 1 - to_go_ij / value_i)
               for mazes of any size. to_go_ij is the mean number of steps from taking j in i to the end,
               value_i what used to be needed from cell i, a running mean (rate 0.1): the baseline

The first two credit each step with the length of the whole walk, which in a large maze says next to nothing
about one step. The third compares, cell by cell, what came after each action with what was expected there:
policy gradient with a state-dependent baseline, scaled for each cell by 1 / (value_i pi_i n_i), as the
natural gradient does for a softmax.

Source: the article "AlphaZero 2", after the book of the same series; Williams 1992 for the gradient, Kakade
2002 for the natural one.

Expected, article's maze (100 seeds, 0 to 99; least - median - most; sampled = mean steps of 200 sampled
episodes):
    update          episodes              greedy path is the 4-step one   sampled             time of a run
    article   0.1    205 -  233   -  271  100 of 100                      4.00 - 4.02 - 4.11  0.2 ms
    gradient  0.1   1278 - 1483.5 - 1788  100 of 100                      4.29 - 4.54 - 4.89  1.1 ms
    gradient  1      263 -  418   -  656  100 of 100 (the default)        4.06 - 4.13 - 4.31  0.2 ms
    gradient  2      133 -  247.5 -  541  100 of 100                      4.03 - 4.10 - 4.25  0.1 ms
    advantage 0.02   452 -  649.5 -  903  100 of 100                      4.38 - 4.74 - 5.54  0.5 ms
All 500 runs settled by themselves. The listing: 211 to 277 episodes.
Expected, made mazes (seeds 0 to 19, a maze each; path is the shortest one that search finds):
    6x6    article    17 of 20; in 2 the likeliest actions go round in circles    0.01 s
           gradient   20 of 20, 1929 to 19404 episodes                            0.02 s
           advantage  20 of 20, 1762 to 7423 episodes                             0.01 s
    10x10  advantage  20 of 20, 4062 to 15404 episodes                            0.04 s
    20x20  advantage  19 of 20, the other 3.6% longer; 19 settled within 50,000   0.8 s
    40x40  advantage  3 of 5 (seeds 0 to 4) after 30,000 episodes, none settled; the others 1.6% and 3.9%
           longer; 4 s

Time: a whole run of the article's is compiled and takes 470 times less than the listing's (measured beside
it); with the pictures 2 to 3 s, and 7 s more when numba compiles first.

Differences from the listing:
- The sign, above. Where every walk ends soon and few cells offer a choice, the article's sign works, and
  faster; in 3 of 20 mazes of 6x6 it made a habit of its early walks. `--update article` is the listing's
  rule.
- The step size. With the right sign and the listing's 0.1 the policy moves less than 1e-3 only after some
  1,500 episodes, beyond the listing's limit of 1,000. With 1 it takes 418, and ends closer to 4 steps. The
  limit is 50,000.
- An episode is cut short after max(10,000, S * S) steps in a maze of S cells; the first two updates then
  learn nothing from it, the third adds what it expects from the last cell on.
- The advantage update counts as settled only after 10 such episodes in a row, because a single one proves
  nothing: an episode that went just as expected moves nothing.
- One seed fixes the run; the listing has none. The state that a run needs is saved; --resume continues it
  exactly.
- The listing's last episode is animated by matplotlib; here by a page of a few kilobytes and a GIF.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rl.bandit.algorithms import RandomNumbers
from rl.command import cli
from rl.command.errors import UsageError, require
from rl.command.settings import RunName, at_least
from rl.command.settings import Settings as CommonSettings
from rl.command.threads import use_threads
from rl.envs.maze_layout import MazeLayout, generate_maze
from rl.envs.maze_text import article_maze, read_maze
from rl.runs.resumable import STATE
from rl.runs.resume import parse

if TYPE_CHECKING:
    from rl.maze import command as maze_report
    from rl.maze.learning import Rule, Runs

ETA = {"article": 0.1, "gradient": 1.0, "advantage": 0.02}  # the step size of each update
MOST_CELLS = 40_000  # 200x200: a random walk takes minutes
STOP_AFTER = {"article": 1, "gradient": 1, "advantage": 10}  # settled after so many calm episodes


def get_pi(theta: np.ndarray) -> np.ndarray:
    """The policy pi (S, 4) = softmax of each row of theta (S, 4); a wall, NaN, gets 0."""
    weights = np.nan_to_num(np.exp(theta))
    total = weights.sum(axis=1, keepdims=True)
    return np.divide(
        weights, total, out=np.zeros_like(weights), where=total > 0
    )  # no way leads out of the goal


def get_a(pi: np.ndarray, s: int, rng: RandomNumbers) -> int:
    """An action 0 to 3 with chance pi[s, a]; one random number."""
    return int(np.searchsorted(np.cumsum(pi[s]), rng.random(), side="right"))


def play(layout: MazeLayout, pi: np.ndarray, rng: RandomNumbers, max_steps: int) -> list[tuple[int, int]]:
    """One episode: the (cell, action) pairs from the start on; the goal is reached unless max_steps come
    first.
    """
    s = layout.start
    history: list[tuple[int, int]] = []
    while s != layout.goal and len(history) < max_steps:
        a = get_a(pi, s, rng)
        history.append((s, a))
        s = int(layout.neighbour[s, a])
    return history


def update_theta(
    theta: np.ndarray, pi: np.ndarray, history: list[tuple[int, int]], eta: float, sign: float
) -> np.ndarray:
    """theta_ij + eta * (n_ij + sign * pi_ij * n_i) / steps; sign -1 is the policy gradient, +1 the listing's
    rule.

    n_ij counts action j in cell i, n_i all visits of cell i.
    """
    n = np.zeros(theta.shape)
    for s, a in history:
        n[s, a] += 1
    return theta + eta * (n + sign * pi * n.sum(axis=1, keepdims=True)) / len(history)


@dataclass
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
            at_least(self, name, 1)

    def layout(self) -> MazeLayout:
        """The maze that these settings mean; raises UsageError or ValueError when there is no such maze."""
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
        """The update, its step size, and when it counts as settled."""
        from rl.maze.learning import Rule

        update = self.update
        if update == "auto":
            update = "advantage" if self.size or self.maze else "gradient"
        return Rule(update, self.eta or ETA[update], self.stop_below, STOP_AFTER[update])


def run(settings: Settings) -> maze_report.Result | Runs | Path:
    """Learn and report, or continue, or show, as the settings say; see rl/maze/command.py."""
    from rl.maze import command as maze_report  # numba and matplotlib come with it

    if settings.play:
        return maze_report.show(settings)
    if settings.num_runs > 1:
        return maze_report.learn_many(settings)
    return maze_report.learn_one(settings)


def measure_seeds(settings: Settings, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """The figures of a run for each seed, many in one compiled call; see rl/maze/command.py."""
    from rl.maze import command as maze_report

    return maze_report.measure_seeds(settings, seeds)


@cli.exit_codes
def main(argv: list[str] | None = None) -> None:
    settings = parse(
        "maze",
        Settings,
        summary="A maze, learned by policy gradient: the article's, one of any size, or your own.",
        examples=(
            "python -m rl.maze",
            "python -m rl.maze --update article --num-runs 100",
            "python -m rl.maze --size 20x20 --seed 3",
            "python -m rl.maze --maze my_maze.txt",
        ),
        argv=argv,
        holding=STATE,
        unfinished=False,
    )
    settings.validate()
    use_threads(settings.num_threads)
    run(settings)
