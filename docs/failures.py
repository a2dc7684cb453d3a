"""Draw the pictures of docs/why.md: usual reasons why an agent does not learn, each beside the remedy.

    python docs/failures.py [NAME ...]

Each picture shows the learning curves of a right and a wrong way, over five seeds. All of them take a few
minutes; the runs of one picture are played in parallel.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import joblib
import matplotlib
import numpy as np

from rl import A2C, DQN
from rl.command.notes import Note

matplotlib.use("agg")
from matplotlib import pyplot as plt

PICTURES = Path(__file__).parent / "pictures"
SEEDS = range(5)
POINTS = 20  # of a curve
RIGHT, WRONG, OTHER = "#1f77b4", "#d62728", "#ff9f1c"
Array = np.ndarray


class Corridor(gym.Env):
    """Eleven cells, start in cell 3. The left end pays 0.1, the right end 1; a step costs `cost`."""

    observation_space = gym.spaces.Box(0, 1, (11,), np.float32)
    action_space = gym.spaces.Discrete(2)  # left, right

    def __init__(self, cost: float = 0.0) -> None:
        self.cost, self.cell = cost, 3

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Array, dict[str, Any]]:
        self.cell = 3
        return np.eye(11, dtype=np.float32)[self.cell], {}

    def step(self, action: int) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        self.cell += 1 if action == 1 else -1
        prize = {0: 0.1, 10: 1.0}.get(self.cell, 0.0)
        return np.eye(11, dtype=np.float32)[self.cell], prize - self.cost, prize > 0, False, {}


def corridor() -> gym.Env:
    return gym.wrappers.TimeLimit(Corridor(), 50)


def corridor_with_cost() -> gym.Env:
    return gym.wrappers.TimeLimit(Corridor(cost=0.02), 50)


def in_millimetres() -> gym.Env:
    """CartPole whose position and speed are in millimetres; the angles stay in radians."""
    env = gym.make("CartPole-v1")
    box = gym.spaces.Box(-np.inf, np.inf, (4,), np.float32)
    unit = np.array([1000, 1000, 1, 1], np.float32)
    return gym.wrappers.TransformObservation(env, lambda observation: observation * unit, box)


class Side(NamedTuple):
    """One way to do it: settings of the agent, and which of its numbers are shown."""

    label: str
    color: str
    settings: dict[str, Any] = {}
    steps: int | None = None  # of this side alone
    measure: str = "evaluation"  # or "training": the episodes in which the agent explores
    choose: Callable[[Array], Array] = lambda curves: curves  # of the seeds


class Failure(NamedTuple):
    """A failure, with its sides; the settings are common to all of them."""

    agent: type[Any]
    env: Any
    steps: int
    settings: dict[str, Any]
    sides: tuple[Side, ...]


def luckiest(curves: Array) -> Array:
    """The seed with the best mean over the run."""
    return curves[[np.argmax(curves.mean(axis=1))]]


CARTPOLE = {"exploration_steps": 5_000}
SHORT = {"exploration_steps": 3_000, "learning_starts": 1, "normalize_observations": False}
FAILURES = {
    "learning-rate": Failure(
        DQN,
        "CartPole-v1",
        20_000,
        CARTPOLE,
        (
            Side("learning_rate=2e-3", RIGHT),
            Side("learning_rate=0.2, too high", WRONG, {"learning_rate": 0.2}),
            Side("learning_rate=1e-5, too low", OTHER, {"learning_rate": 1e-5}),
        ),
    ),
    "exploration": Failure(
        DQN,
        corridor,
        6_000,
        SHORT,
        (
            Side("initial_epsilon=1, final_epsilon=0.05", RIGHT),
            Side("both 0: no exploration", WRONG, {"initial_epsilon": 0.0, "final_epsilon": 0.0}),
        ),
    ),
    "scale": Failure(
        DQN,
        in_millimetres,
        20_000,
        CARTPOLE,
        (
            Side("normalize_observations=True", RIGHT),
            Side("normalize_observations=False", WRONG, {"normalize_observations": False}),
        ),
    ),
    "ends": Failure(
        DQN,
        corridor_with_cost,
        6_000,
        SHORT,
        (
            Side("life_loss_ends=False", RIGHT),
            Side("life_loss_ends=True: each cost is an end", WRONG, {"life_loss_ends": True}),
        ),
    ),
    "target": Failure(
        DQN,
        "CartPole-v1",
        20_000,
        CARTPOLE,
        (
            Side("target_update=500", RIGHT),
            Side("target_update=1: every update", WRONG, {"target_update": 1}),
            Side("target_update=1_000_000: never", OTHER, {"target_update": 1_000_000}),
        ),
    ),
    "rewards": Failure(
        A2C,
        "CartPole-v1",
        40_000,
        {"reward": lambda rewards: 1000 * rewards},
        (
            Side("normalize_rewards=True", RIGHT),
            Side("normalize_rewards=False", WRONG, {"normalize_rewards": False}),
        ),
    ),
    "steps": Failure(
        DQN,
        "CartPole-v1",
        16_000,
        CARTPOLE,
        (
            Side("16,000 steps", RIGHT),
            Side("2,000 steps: stopped too soon", WRONG, steps=2_000),
        ),
    ),
    "seeds": Failure(
        A2C,
        "CartPole-v1",
        30_000,
        {},
        (
            Side("all five seeds", RIGHT),
            Side("the luckiest of the five", WRONG, choose=luckiest),
        ),
    ),
    "evaluation": Failure(
        DQN,
        "CartPole-v1",
        20_000,
        {**CARTPOLE, "final_epsilon": 0.2},
        (
            Side("evaluations: the best actions", RIGHT),
            Side("training episodes: one action in five is random", WRONG, measure="training"),
        ),
    ),
}


def curve(failure: Failure, side: Side, seed: int) -> Array:
    """Learn once; return the mean return at each of POINTS equal parts of the run, (POINTS,)."""
    steps = side.steps or failure.steps
    every = steps // POINTS
    found: dict[str, list[list[float]]] = {"evaluation": [], "training": [[] for _ in range(POINTS + 1)]}

    def note(event: Any) -> None:
        part = min((event.steps - 1) // every, POINTS)
        found["training"][part] += [episode.total for episode in event.episodes]
        if event.evaluation is not None:
            found["evaluation"].append([event.evaluation.mean])

    common = {"eval_freq": every, "eval_episodes": 10, "keep_going": True, "num_threads": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Note)  # the wrong ways are in doubt, and are meant to be
        agent = failure.agent(failure.env, seed=seed, **common, **failure.settings, **side.settings)
        agent.learn(steps, callback=note)
    agent.close()
    return np.array([np.mean(part) if part else np.nan for part in found[side.measure][:POINTS]])


def draw(name: str) -> None:
    """Run all sides of a failure, and write its picture."""
    failure = FAILURES[name]
    runs = [(side, seed) for side in failure.sides for seed in SEEDS]
    learn = joblib.delayed(curve)
    curves = iter(joblib.Parallel(n_jobs=-1)(learn(failure, side, seed) for side, seed in runs))
    figure, axes = plt.subplots(figsize=(6.4, 3.6), dpi=110, layout="constrained", facecolor="white")
    for side in failure.sides:
        chosen = side.choose(np.array([next(curves) for _ in SEEDS]))
        steps = np.arange(1, POINTS + 1) * ((side.steps or failure.steps) // POINTS)
        axes.plot(steps, chosen.T, color=side.color, alpha=0.3, linewidth=1)
        axes.plot(steps, np.median(chosen, axis=0), color=side.color, linewidth=2.5, label=side.label)
        print(f"{name}: {side.label}: {np.median(chosen[:, -1]):.2f} at the end", flush=True)
    axes.set(xlabel="environment steps", ylabel="return of a game", xlim=(0, failure.steps))
    figure.legend(loc="outside upper left", frameon=False, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    PICTURES.mkdir(exist_ok=True)
    figure.savefig(PICTURES / f"{name}.png")
    plt.close(figure)


if __name__ == "__main__":
    for name in sys.argv[1:] or FAILURES:
        draw(name)
