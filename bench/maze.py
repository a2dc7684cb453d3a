"""How long does the maze article take?

Workload: the learning of `python -m rl.maze --update article`: one run in the article's maze until the policy
has settled, about 230 episodes. Our side is `begin` and `learn`. The other side makes NumPy calls on 8x4
arrays and stores histories in lists, written below like the article's listing. Each call has another seed,
because runs differ in length.
"""

from __future__ import annotations

import itertools

import numpy as np

from bench.harness import compare
from bench.questions import Options, Question, Row, Side, Work

MOST_EPISODES, SETTLED, STEP_SIZE = 1000, 1e-3, 0.1


def ours(threads: int) -> Work:
    """Run rl.maze.learning once, until the policy has settled."""
    from rl.envs.maze_text import article_maze
    from rl.maze import Rule
    from rl.maze.learning import begin, learn

    layout, rule, seeds = article_maze(), Rule("article", STEP_SIZE, SETTLED), itertools.count()

    def step() -> None:
        learn(layout, begin(layout, [next(seeds)]), rule, MOST_EPISODES, record=MOST_EPISODES)

    return Work(step)


def listing(threads: int) -> Work:
    """Do the same run in plain Python."""
    seeds = itertools.count()
    return Work(lambda: settle(np.random.RandomState(next(seeds))))


OPEN = (  # of cells 0 to 7; 8 is the goal
    "right down",
    "right down left",
    "left",
    "up down",
    "up right",
    "down left",
    "up right",
    "left",
)
DIRECTIONS, MOVES, GOAL = ("up", "right", "down", "left"), (-3, 1, 3, -1), 8


def settle(rng: np.random.RandomState) -> int:
    """Learn until the policy has settled; returns the number of episodes."""
    theta = np.array([[1.0 if d in sides.split() else np.nan for d in DIRECTIONS] for sides in OPEN])
    pi = policy(theta)
    for number in range(1, MOST_EPISODES + 1):
        history = episode(pi, rng)
        theta = update(theta, pi, history)
        new = policy(theta)
        moved = np.abs(new - pi).sum()
        pi = new
        if moved < SETTLED:
            return number
    return MOST_EPISODES


def policy(theta: np.ndarray) -> np.ndarray:
    pi, weights = np.zeros(theta.shape), np.exp(theta)
    for cell in range(len(theta)):
        pi[cell] = weights[cell] / np.nansum(weights[cell])
    return np.nan_to_num(pi)


def episode(pi: np.ndarray, rng: np.random.RandomState) -> list[tuple[int, int]]:
    """Play an episode; returns (cell, direction) of each step, and the goal at the end."""
    cell, history = 0, []
    while cell != GOAL:
        direction = rng.choice(4, p=pi[cell])
        history.append((cell, direction))
        cell += MOVES[direction]
    return [*history, (GOAL, -1)]


def update(theta: np.ndarray, pi: np.ndarray, history: list[tuple[int, int]]) -> np.ndarray:
    """Apply the article's rule, theta + eta (n_ij + pi_ij n_i) / steps, counting in lists."""
    change = theta.copy()
    for cell in range(len(theta)):
        for direction in range(4):
            if not np.isnan(theta[cell, direction]):
                here = [step for step in history if step[0] == cell]
                taken = [step for step in history if step == (cell, direction)]
                change[cell, direction] = (len(taken) + pi[cell, direction] * len(here)) / (len(history) - 1)
    return theta + STEP_SIZE * change


QUESTION = Question(
    "W9",
    "maze",
    "maze article, a run until it has settled",
    "runs/s",
    (
        Side("nnlite", "bench.maze:ours"),
        Side("the listing's way", "bench.maze:listing"),
    ),
    target={1: 100.0},
    threads=(1,),
)


def run(options: Options) -> list[Row]:
    return compare(QUESTION, options)
