"""The figures of a run in a sweep's table, from the result.json that its article leaves.

Every article gives a score; which way it is better, and what its steps are, is told here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Figures = dict[str, Any]


@dataclass(frozen=True)
class Measure:
    """How an article is measured.

    score   what the score is, with its unit
    better  "higher" or "lower"
    read    score, steps to solved (None: not solved), and the article's other figures, of a result.json
    steps   what steps are counted in
    """

    score: str
    better: str
    read: Callable[[Figures], tuple[float | None, int | None, dict[str, float]]]
    steps: str = "environment steps"


def _agent(f: Figures) -> tuple[float | None, int | None, dict[str, float]]:
    return (
        f["best_score"],
        f["solved_at"],
        {"total_steps": f["steps"], "episodes": f["episodes"], "train_seconds": f["seconds"]},
    )


def _layer(f: Figures) -> tuple[float | None, int | None, dict[str, float]]:
    return f["loss_after"], None, {"loss": f["loss"], "equal": float(f["equal"])}


def _housing(f: Figures) -> tuple[float | None, int | None, dict[str, float]]:
    others = {"first_loss": f["losses"][0], "last_loss": f["losses"][-1], "linear_error": f["linear_error"]}
    return f["test_error"], None, others


def _digits(f: Figures) -> tuple[float | None, int | None, dict[str, float]]:
    return f["accuracy"], None, {"train_seconds": f["train_seconds"]}


def _bandit(f: Figures) -> tuple[float | None, int | None, dict[str, float]]:
    """The listing's first algorithm is the score; all of them are there."""
    others = {
        f"{label}: {name}": values[name]
        for label, values in f["algorithms"].items()
        for name in ("mean_reward", "last_play", "regret")
    }
    return next(iter(f["algorithms"].values()))["mean_reward"], None, others


def _maze(f: Figures) -> tuple[float | None, int | None, dict[str, float]]:
    greedy = f["greedy_steps"] if f["greedy_steps"] is not None else float("nan")
    others = {"greedy_steps": greedy, "shortest_steps": f["shortest_steps"], "episodes": f["episodes"]}
    return f["sampled_steps"], f["episodes"] if f["settled"] else None, others


_AGENT = Measure("score of the best evaluation", "higher", _agent)
MEASURES = {
    "one_layer": Measure("loss after one step", "lower", _layer),
    "two_layer": Measure("loss after one step", "lower", _layer),
    "housing": Measure("squared error, held out", "lower", _housing),
    "digits": Measure("accuracy, held out", "higher", _digits),
    "value_function": _AGENT,
    "dqn": _AGENT,
    "policy_gradient": _AGENT,
    "a2c": _AGENT,
    "bandit": Measure("mean reward of the first algorithm", "higher", _bandit),
    "maze": Measure("steps when actions are drawn", "lower", _maze, "episodes"),
}
