"""Draw the pictures of docs/why.md: usual failures, beside what learns.

    python docs/failures.py            all of them, some minutes
    python docs/failures.py scale      one of them

Every curve is the mean return of greedy games over training; thin lines are single seeds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from rl import A2C, DQN, PolicyGradient
from rl.watch.plots import INK, new_figure

PICTURES = Path(__file__).parent / "pictures"
SEEDS = range(5)
GAMES = 10  # of an evaluation
COLOURS = ("#0072b2", "#d55e00", "#009e73")


@dataclass(frozen=True)
class Way:
    """One way to train: its label, and keywords of the agent."""

    label: str
    keywords: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """What is compared: an agent on an environment, for so many steps, trained in several ways.

    change  makes another environment of the registered one
    """

    title: str
    agent: Callable[..., Any]
    env: str
    steps: int
    ways: tuple[Way, ...]
    change: Callable[[gymnasium.Env], gymnasium.Env] | None = None


def thousandfold(rewards: np.ndarray) -> np.ndarray:
    """Return rewards a thousand times as large."""
    return 1000 * rewards


def in_millimetres(env: gymnasium.Env) -> gymnasium.Env:
    """Show CartPole's first number a thousand times as large."""
    scale = np.array([1000, 1, 1, 1], np.float32)
    return gymnasium.wrappers.TransformObservation(env, lambda x: x * scale, env.observation_space)


FAILURES = {
    "rate": Failure(
        "Learning rate",
        A2C,
        "CartPole-v1",
        60_000,
        (
            Way("0.002", {"learning_rate": 2e-3}),
            Way("0.2, too large", {"learning_rate": 0.2}),
            Way("0.000001, too small", {"learning_rate": 1e-6}),
        ),
    ),
    "exploration": Failure(
        "Exploration",
        DQN,
        "FrozenLake-v1",
        15_000,
        (
            Way("from all to 5 % random actions"),
            Way("none", {"initial_epsilon": 0.0, "final_epsilon": 0.0, "learning_starts": 128}),
        ),
    ),
    "scale": Failure(
        "The cart's place in millimetres",
        A2C,
        "CartPole-v1",
        60_000,
        (
            Way("normalize_observations=True"),
            Way("normalize_observations=False", {"normalize_observations": False}),
        ),
        in_millimetres,
    ),
    "rewards": Failure(
        "Rewards of 1,000 a step",
        A2C,
        "CartPole-v1",
        60_000,
        (
            Way("normalize_rewards=True", {"reward": thousandfold}),
            Way("normalize_rewards=False", {"reward": thousandfold, "normalize_rewards": False}),
        ),
    ),
    "ends": Failure(
        "A penalty that is taken for an end",
        DQN,
        "Acrobot-v1",
        20_000,
        (Way("life_loss_ends=False"), Way("life_loss_ends=True", {"life_loss_ends": True})),
    ),
    "target": Failure(
        "Target network",
        DQN,
        "CartPole-v1",
        15_000,
        (
            Way("copied every 100 updates"),
            Way("copied once in 1,000,000", {"target_update": 1_000_000}),
        ),
    ),
    "patience": Failure(
        "Training that ends too soon", DQN, "MountainCar-v0", 120_000, (Way("DQN, five seeds"),)
    ),
    "luck": Failure(
        "One lucky seed",
        PolicyGradient,
        "CartPole-v1",
        30_000,
        (
            Way("learning rate 0.003"),
            Way("learning rate 0.05", {"learning_rate": 0.05}),
        ),
    ),
}


def curve(failure: Failure, way: Way, seed: int) -> list[tuple[int, float]]:
    """Train once; return (steps, mean return) of each evaluation."""
    found: list[tuple[int, float]] = []

    def note(event: Any) -> None:
        if event.evaluation is not None:
            found.append((event.steps, event.evaluation.mean))

    judged = {"eval_freq": failure.steps // 15, "eval_episodes": GAMES, "keep_going": True}
    env: Any = failure.env
    if failure.change is not None:
        env = partial(make_changed, failure)
    agent = failure.agent(env, seed=seed, num_threads=1, **judged, **way.keywords)
    agent.learn(failure.steps, callback=note)
    return found


def make_changed(failure: Failure) -> gymnasium.Env:
    """Make the environment, changed."""
    assert failure.change is not None
    return failure.change(gymnasium.make(failure.env))


def draw(name: str, failure: Failure) -> Path:
    """Train every way over all seeds, and draw the picture."""
    agent = failure.agent.__name__  # type: ignore[attr-defined]
    figure, axes = new_figure(f"{failure.title}: {agent} on {failure.env}", "environment steps", "return")
    figure.set_size_inches(7, 3.6)
    for way, colour in zip(failure.ways, COLOURS):
        curves = [curve(failure, way, seed) for seed in SEEDS]
        for one in curves:
            axes.plot(*np.array(one).T, color=colour, linewidth=0.8, alpha=0.4)
        steps = [step for step, _ in curves[0]]
        mean = np.mean([[value for _, value in one] for one in curves], axis=0)
        axes.plot(steps, mean, color=colour, linewidth=2, label=way.label)
    threshold = gymnasium.spec(failure.env).reward_threshold
    axes.axhline(threshold, color=INK, linestyle="--", linewidth=1, label=f"solved: {threshold:g}")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.legend(loc="best", fontsize=9, edgecolor="none")
    path = PICTURES / f"why-{name}.png"
    figure.savefig(path, dpi=100)
    return path


def main() -> None:
    """Draw the pictures that are named, or all."""
    for name in sys.argv[1:] or FAILURES:
        if name not in FAILURES:
            sys.exit(f"there is no failure {name!r}\n  choose among {', '.join(FAILURES)}")
        print(draw(name, FAILURES[name]), flush=True)


if __name__ == "__main__":
    main()
