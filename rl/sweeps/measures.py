"""Read score, steps and figures of a run from the result.json of its article, for the table of a sweep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Figures = dict[str, Any]


@dataclass(frozen=True)
class Measure:
    """How an article is measured.

    score   name of the score, with its unit
    better  "higher" or "lower"
    read    result.json -> (score, steps to solved or None, the article's other figures)
    steps   unit of the steps
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
    """Read the first algorithm's mean reward as score, and the figures of all algorithms."""
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


def measure_of(article: str) -> Measure:
    """Return how an article is measured; algorithms of one's own are agents."""
    return MEASURES.get(article, _AGENT)


def measure(article: str, seed: int, figures: Figures) -> dict[str, Any]:
    """Make the row of a run's table from its figures."""
    score, solved_at, others = measure_of(article).read(figures)
    return {"seed": seed, "score": score, "solved_at": solved_at, **others}
