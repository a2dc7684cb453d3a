"""The exhibits of `python -m rl all`: question, figures and pictures of each article.

An article writes its figures into result.json of its run's folder; rl.tools.figures reads them. `reached`
defines the expected result: bounds that the article meets with every seed that was measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from rl.tools import figures as read
from rl.tools.figures import Figures, Row


class Picture(NamedTuple):
    """A file in the run's folder, and its caption."""

    file: str
    caption: str


@dataclass(frozen=True)
class Exhibit:
    """One article on the page.

    question       the article's question, in English
    japanese       the same for readers of the articles
    rows           the article's figures and ours
    reached        whether a run gave what the article promises
    headline       the row that represents the article
    quick          flags of a short run; none where the usual run is short
    quick_reached  `reached` of the short run; None = the same
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


REWARDS = Picture(
    "reward.png", "Return of the training episodes: mean of every ten, band of one standard deviation"
)

EXHIBITS: dict[str, Exhibit] = {
    "one_layer": Exhibit(
        "What is inside a layer, what goes in, and what comes out?",
        "層の中身と入出力の形を確かめ、勾配を手計算と見比べます。",
        read.layer_rows,
        lambda f: bool(f["equal"]),
        headline=-1,
    ),
    "two_layer": Exhibit(
        "How do several examples go through two layers, and how does the gradient come back?",
        "複数のデータを2層に通し、逆向きに伝わる勾配を手計算と見比べます。",
        read.two_layer_rows,
        lambda f: bool(f["equal"]),
        headline=-1,
    ),
    "housing": Exhibit(
        "Can a small network tell the price of houses from thirteen numbers?",
        "13個の数値から住宅価格を予測します。8エポックで誤差が大きく下がります。",
        read.housing_rows,
        lambda f: f["losses"][0] > 100 and f["losses"][-1] < 30,
        1,
        (Picture("prices.png", "Actual against predicted price of the districts held out"),),
    ),
    "digits": Exhibit(
        "Can a small convolutional network read digits of 8 by 8 pixels?",
        "8×8画素の手書き数字を、小さなCNNで読み取ります。",
        read.digits_rows,
        lambda f: f["accuracy"] > 0.88,
        0,
        (
            Picture("confusion.png", "Which digit was read as which"),
            Picture("misread.png", "Every digit that was misread"),
        ),
    ),
    "value_function": Exhibit(
        "Can a pole be balanced by learning what each action is worth?",
        "行動の価値を学習して、カートの上の棒を立て続けます。",
        read.value_rows,
        read.is_solved,
        0,
        (REWARDS,),
        "The trained agent",
    ),
    "dqn": Exhibit(
        "Can an agent that sees only the screen learn to catch what falls?",
        "ゲーム画面だけを見て、落ちてくる果物を受け止める方法を学習します。",
        read.catcher_rows,
        read.is_solved,
        0,
        (REWARDS,),
        "The trained agent",
        quick=("--total-timesteps", "20000"),
        quick_note="Quick run: 20,000 steps at most.",
        quick_reached=lambda f: f["best_score"] is not None and f["best_score"] > 0.8,
    ),
    "policy_gradient": Exhibit(
        "Can a pole be balanced by learning what to do, without any values?",
        "価値を使わず、戦略そのものを学習して棒を立て続けます。",
        read.policy_rows,
        read.is_solved,
        0,
        (REWARDS,),
        "The trained agent",
    ),
    "a2c": Exhibit(
        "Can an actor and a critic learn together from the screen?",
        "行動を決めるActorと、価値を見積もるCriticを、画面から同時に学習します。",
        read.a2c_rows,
        read.is_solved,
        0,
        (REWARDS,),
        "The trained agent",
        quick=("--test",),
        quick_note="Quick run: the article's --test, CartPole with a small dense network.",
    ),
    "bandit": Exhibit(
        "Three slot machines of unknown chances: which one next?",
        "当たりやすさの分からない3台のスロットマシンで、コインをできるだけ増やします。",
        read.bandit_rows,
        read.is_bandit_in_range,
        0,
        (
            Picture("rewards.png", "Mean reward of each play"),
            Picture("regret.png", "What not knowing the best arm has cost so far"),
        ),
    ),
    "maze": Exhibit(
        "How is a way through a maze learned from nothing but the length of each walk?",
        "ゴールまでの歩数だけを手がかりに、迷路の近道を学習します。",
        read.maze_rows,
        lambda f: bool(f["settled"]) and f["greedy_steps"] == f["shortest_steps"],
        0,
        (Picture("policy.png", "The policy that was learned"), Picture("steps.png", "Steps of each episode")),
        "The last episode",
    ),
}
