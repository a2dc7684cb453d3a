"""What `python -m rl all` shows of each article: the figures that the article showed, and where ours are found.

An article leaves its figures in result.json of its run's folder; here stands how they are read, what counts as reached,
and which pictures belong to them. The bounds are those that each article's docstring reports over its seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

Figures = dict[str, Any]  # the content of a result.json


class Row(NamedTuple):
    """One figure: its name, what the article showed, what this run gave."""

    name: str
    article: str
    here: str


class Picture(NamedTuple):
    """A file in the run's folder, and what it shows."""

    file: str
    caption: str


@dataclass(frozen=True)
class Exhibit:
    """One article on the page.

    question   what the article asks, in English
    japanese   the same for the articles' readers
    rows       our figures beside the article's
    headline   which of the rows stands for the article
    reached    whether a run gave what the article promises
    quick      flags of a short run; none where the usual run is short
    """

    question: str
    japanese: str
    rows: Callable[[Figures], list[Row]]
    reached: Callable[[Figures], bool]
    headline: int = 0
    pictures: tuple[Picture, ...] = ()
    animation: str = ""
    quick: tuple[str, ...] = ()
    quick_note: str = ""
    quick_reached: Callable[[Figures], bool] | None = None


def layer_rows(f: Figures) -> list[Row]:
    return [
        Row("input x", "(1, 2)", shape(f["x"])),
        Row("weight", "(2, 4)", shape(f["W"])),
        Row("bias", "(4,)", shape(f["b"])),
        Row("output y", "(1, 4)", shape(f["y"])),
        Row("gradient by hand = engine's", "not shown", "in every digit" if f["equal"] else "NO"),
    ]


def two_layer_rows(f: Figures) -> list[Row]:
    return [
        Row("input batch", "(3, 2)", shape(f["batch"])),
        Row("output y", "(3, 4)", shape(f["y"])),
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
    return [Row("accuracy, held out", "93.43 %", f"{100 * f['accuracy']:.2f} %"), Row("training", "not shown", f"{f['train_seconds']:.2f} s")]


def cartpole_rows(f: Figures) -> list[Row]:
    """For the articles whose result was a reward curve, without a number."""
    return [
        Row("greedy return, best evaluation", "a curve", optional(f["best_mean_return"], ".1f") + " of 200"),
        Row("solved after", "not shown", steps(f["solved_at"])),
        Row("episodes", "see below", f"{f['episodes']:,}"),
    ]


def value_rows(f: Figures) -> list[Row]:
    return episodes_of("220", cartpole_rows(f))


def policy_rows(f: Figures) -> list[Row]:
    return episodes_of("250", cartpole_rows(f))


def catcher_rows(f: Figures) -> list[Row]:
    if f["best_score"] is not None and f["best_score"] > 1:  # the score of CartPole is its return, that of Catcher a share
        return episodes_of("900", cartpole_rows(f))
    return [
        Row("fruits caught, best evaluation", "a video", optional(f["best_score"], ".2%")),
        Row("solved after", "not shown", steps(f["solved_at"])),
        Row("episodes", "1,200", f"{f['episodes']:,}"),
    ]


def a2c_rows(f: Figures) -> list[Row]:
    return episodes_of("900", catcher_rows(f))


def bandit_rows(f: Figures) -> list[Row]:
    """The first two algorithms are the listing's; its curves were read from runs of it over several seeds."""
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


def shape(values: Any) -> str:
    """(2, 4) for two lists of four numbers."""
    sizes = []
    while isinstance(values, list):
        sizes.append(len(values))
        values = values[0]
    return str(tuple(sizes))


def steps(count: int | None) -> str:
    return "not solved" if count is None else f"{count:,} steps"


def optional(value: float | None, form: str) -> str:
    return "none" if value is None else format(value, form)


def episodes_of(article: str, rows: list[Row]) -> list[Row]:
    """The rows, with the number of episodes that this article trained for."""
    return [row._replace(article=article) if row.name == "episodes" else row for row in rows]


def solved(f: Figures) -> bool:
    return f["solved_at"] is not None


def bandit_reached(f: Figures) -> bool:
    greedy, ucb1 = list(f["algorithms"].values())[:2]
    return 0.775 < greedy["mean_reward"] < 0.82 and 0.805 < ucb1["mean_reward"] < 0.825


REWARDS = Picture("reward.png", "Return of the training episodes: mean of every ten, band of one standard deviation")

EXHIBITS: dict[str, Exhibit] = {
    "one_layer": Exhibit(
        "What is inside a layer, what goes in, and what comes out?",
        "層の中身と入出力の形を確かめ、勾配を手計算と見比べます。",
        layer_rows, lambda f: bool(f["equal"]), headline=-1,
    ),
    "two_layer": Exhibit(
        "How do several examples go through two layers, and how does the gradient come back?",
        "複数のデータを2層に通し、逆向きに伝わる勾配を手計算と見比べます。",
        two_layer_rows, lambda f: bool(f["equal"]), headline=-1,
    ),
    "housing": Exhibit(
        "Can a small network tell the price of houses from thirteen numbers?",
        "13個の数値から住宅価格を予測します。8エポックで誤差が大きく下がります。",
        housing_rows, lambda f: f["losses"][0] > 100 and f["losses"][-1] < 30, 1,
        (Picture("prices.png", "Actual against predicted price of the districts held out"),),
    ),
    "digits": Exhibit(
        "Can a small convolutional network read digits of 8 by 8 pixels?",
        "8×8画素の手書き数字を、小さなCNNで読み取ります。",
        digits_rows, lambda f: f["accuracy"] > 0.88, 0,
        (Picture("confusion.png", "Which digit was read as which"), Picture("misread.png", "Every digit that was misread")),
    ),
    "value_function": Exhibit(
        "Can a pole be balanced by learning what each action is worth?",
        "行動の価値を学習して、カートの上の棒を立て続けます。",
        value_rows, solved, 0, (REWARDS,), "The trained agent",
    ),
    "dqn": Exhibit(
        "Can an agent that sees only the screen learn to catch what falls?",
        "ゲーム画面だけを見て、落ちてくる果物を受け止める方法を学習します。",
        catcher_rows, solved, 0, (REWARDS,), "The trained agent",
        quick=("--total-timesteps", "20000"), quick_note="Quick run: 20,000 steps at most.",
        quick_reached=lambda f: f["best_score"] is not None and f["best_score"] > 0.8,
    ),
    "policy_gradient": Exhibit(
        "Can a pole be balanced by learning what to do, without any values?",
        "価値を使わず、戦略そのものを学習して棒を立て続けます。",
        policy_rows, solved, 0, (REWARDS,), "The trained agent",
    ),
    "a2c": Exhibit(
        "Can an actor and a critic learn together from the screen?",
        "行動を決めるActorと、価値を見積もるCriticを、画面から同時に学習します。",
        a2c_rows, solved, 0, (REWARDS,), "The trained agent",
        quick=("--test",), quick_note="Quick run: the article's --test, CartPole with a small dense network.",
    ),
    "bandit": Exhibit(
        "Three slot machines of unknown chances: which one next?",
        "当たりやすさの分からない3台のスロットマシンで、コインをできるだけ増やします。",
        bandit_rows, bandit_reached, 0,
        (Picture("rewards.png", "Mean reward of each play"), Picture("regret.png", "What not knowing the best arm has cost so far")),
    ),
    "maze": Exhibit(
        "How is a way through a maze learned from nothing but the length of each walk?",
        "ゴールまでの歩数だけを手がかりに、迷路の近道を学習します。",
        maze_rows, lambda f: bool(f["settled"]) and f["greedy_steps"] == f["shortest_steps"], 0,
        (Picture("policy.png", "The policy that was learned"), Picture("steps.png", "Steps of each episode")), "The last episode",
    ),
}
