"""The ten articles, in the order in which they build on each other."""

from __future__ import annotations

from typing import NamedTuple


class Article(NamedTuple):
    """One line of `python -m rl`."""

    module: str
    title: str  # the article's own title
    shows: str
    takes: str  # on two cores
    expect: str


ARTICLES = (
    Article(
        "one_layer",
        "ニューラルネットワーク 1",
        "one Dense layer: shapes, values, a backward pass by hand",
        "1 s",
        "the engine equals the hand",
    ),
    Article(
        "two_layer",
        "ニューラルネットワーク 2",
        "two layers on a batch: shapes, values, a backward pass by hand",
        "1 s",
        "the engine equals the hand",
    ),
    Article(
        "housing",
        "ニューラルネットワーク 3",
        "house prices from 13 numbers: loss and scatter plot",
        "3 s",
        "loss from above 100 to below 25",
    ),
    Article(
        "digits",
        "ニューラルネットワーク 4",
        "handwritten digits with a small CNN: report and misread digits",
        "3 s",
        "accuracy 0.90 to 0.955",
    ),
    Article(
        "value_function",
        "ニューラルネットワーク 5",
        "CartPole by a learned value of each action",
        "10 s",
        "the pole stands for 195 of 200 steps",
    ),
    Article(
        "dqn",
        "ニューラルネットワーク 6",
        "Catcher from the screen: deep Q-learning",
        "1 min",
        "misses at most 2 of 585 fruits",
    ),
    Article(
        "policy_gradient",
        "ニューラルネットワーク 7",
        "CartPole by a learned policy",
        "5 s",
        "the pole stands for 195 of 200 steps",
    ),
    Article(
        "a2c",
        "ニューラルネットワーク 8",
        "Catcher from the screen: advantage actor-critic",
        "2 min",
        "misses at most 2 of 585 fruits",
    ),
    Article(
        "bandit",
        "AlphaZero 1",
        "three slot machines: epsilon-greedy and UCB1",
        "3 s",
        "both near 0.86 of the best arm's 0.9",
    ),
    Article(
        "maze",
        "AlphaZero 2",
        "a 3x3 maze by policy gradient",
        "3 s",
        "the 4-step path",
    ),
)
