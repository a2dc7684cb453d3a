"""Rows of the report: the figures in an article's result.json beside those that the article shows."""

from __future__ import annotations

from typing import Any, NamedTuple

Figures = dict[str, Any]  # the content of a result.json


class Row(NamedTuple):
    """One figure: its name, the article's value, ours."""

    name: str
    article: str
    here: str


def layer_rows(f: Figures) -> list[Row]:
    return [
        Row("input x", "(1, 2)", shape_of(f["x"])),
        Row("weight", "(2, 4)", shape_of(f["W"])),
        Row("bias", "(4,)", shape_of(f["b"])),
        Row("output y", "(1, 4)", shape_of(f["y"])),
        Row("gradient by hand = engine's", "not shown", "in every digit" if f["equal"] else "NO"),
    ]


def two_layer_rows(f: Figures) -> list[Row]:
    return [
        Row("input batch", "(3, 2)", shape_of(f["batch"])),
        Row("output y", "(3, 4)", shape_of(f["y"])),
        Row("gradient by hand = engine's", "not shown", "in every digit" if f["equal"] else "NO"),
    ]


def housing_rows(f: Figures) -> list[Row]:
    return [
        Row("loss, first epoch", "165.8451", f"{f['losses'][0]:.4f}"),
        Row(f"loss, epoch {len(f['losses'])}", "18.0005", f"{f['losses'][-1]:.4f}"),
        Row("squared error, held out", "not shown", f"{f['test_error']:.2f}"),
        Row("the same, linear regression", "not shown", f"{f['linear_error']:.2f}"),
        Row("table", "load_boston", f["source"].removeprefix("Data: ").split(",")[0].rstrip(".")),
    ]


def digits_rows(f: Figures) -> list[Row]:
    return [
        Row("accuracy, held out", "93.43 %", f"{100 * f['accuracy']:.2f} %"),
        Row("training", "not shown", f"{f['train_seconds']:.2f} s"),
    ]


def cartpole_rows(f: Figures, article: str, episodes: str) -> list[Row]:
    """Make the rows of an article that shows a reward curve and no number."""
    return [
        Row(
            "greedy return, best evaluation",
            article,
            format_optional(f["best_mean_return"], ".1f") + " of 200",
        ),
        Row("solved after", "not shown", format_steps(f["solved_at"])),
        Row("episodes", episodes, f"{f['episodes']:,}"),
    ]


def value_rows(f: Figures) -> list[Row]:
    return cartpole_rows(f, "a curve", "220")


def policy_rows(f: Figures) -> list[Row]:
    return cartpole_rows(f, "a curve", "250")


def catcher_rows(f: Figures, article: str = "a video", episodes: str = "1,200") -> list[Row]:
    return [
        Row("fruits caught, best evaluation", article, format_optional(f["best_score"], ".2%")),
        Row("solved after", "not shown", format_steps(f["solved_at"])),
        Row("episodes", episodes, f"{f['episodes']:,}"),
    ]


def a2c_rows(f: Figures) -> list[Row]:
    """Make the rows of A2C on Catcher, or of its --test on CartPole.

    Catcher's score is a share of fruits, at most 1; CartPole's is a return above 1.
    """
    if f["best_score"] is not None and f["best_score"] > 1:
        return cartpole_rows(f, "hardly grew", "900")
    return catcher_rows(f, "not shown", "900")


def bandit_rows(f: Figures) -> list[Row]:
    """Make the rows of the listing's two algorithms; the values are read from its curves."""
    greedy, ucb1 = list(f["algorithms"].values())[:2]
    return [
        Row("ε-greedy, mean reward", "0.792 to 0.801", f"{greedy['mean_reward']:.3f}"),
        Row("UCB1, mean reward", "0.814 to 0.817", f"{ucb1['mean_reward']:.3f}"),
        Row("ε-greedy, play 250", "0.857 to 0.875", f"{greedy['last_play']:.3f}"),
        Row("UCB1, play 250", "0.842 to 0.879", f"{ucb1['last_play']:.3f}"),
    ]


def maze_rows(f: Figures) -> list[Row]:
    walk = "goes in circles" if f["greedy_steps"] is None else f"{f['greedy_steps']}"
    return [
        Row("steps to the goal", "4", walk),
        Row("shortest, by search", "not shown", str(f["shortest_steps"])),
        Row("episodes until settled", "231", f"{f['episodes']:,}" if f["settled"] else "not settled"),
        Row("steps when actions are drawn", "not shown", f"{f['sampled_steps']:.2f}"),
    ]


def shape_of(values: Any) -> str:
    """Format the shape of nested lists: (2, 4) for two lists of four numbers."""
    sizes = []
    while isinstance(values, list):
        sizes.append(len(values))
        values = values[0]
    return str(tuple(sizes))


def format_steps(count: int | None) -> str:
    return "not solved" if count is None else f"{count:,} steps"


def format_optional(value: float | None, form: str) -> str:
    return "none" if value is None else format(value, form)


def is_solved(f: Figures) -> bool:
    return f["solved_at"] is not None


def is_bandit_in_range(f: Figures) -> bool:
    greedy, ucb1 = list(f["algorithms"].values())[:2]
    return bool(0.775 < greedy["mean_reward"] < 0.82 and 0.805 < ucb1["mean_reward"] < 0.825)
