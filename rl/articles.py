"""The ten articles, in the order in which they build on each other."""

from __future__ import annotations

from typing import NamedTuple


class Article(NamedTuple):
    """One article.

    module   its name: rl.{module} is the lesson, `python -m rl.{module}` runs it
    command  the module that runs it; has `main`, and `measure_seeds` where many seeds are one compiled call
    title    the article's own
    shows    what it is about
    takes    time on two cores
    expect   what a run reaches
    """

    module: str
    command: str
    title: str
    shows: str
    takes: str
    expect: str


ARTICLES = (
    Article(
        "one_layer",
        "rl.one_layer",
        "ニューラルネットワーク 1",
        "one Dense layer, its gradients checked by hand",
        "1 s",
        "the engine agrees with the hand calculation",
    ),
    Article(
        "two_layer",
        "rl.two_layer",
        "ニューラルネットワーク 2",
        "two layers on a batch, checked by hand too",
        "1 s",
        "the engine agrees with the hand calculation",
    ),
    Article(
        "housing",
        "rl.housing.command",
        "ニューラルネットワーク 3",
        "house prices from 13 numbers",
        "3 s",
        "loss from above 100 to below 25",
    ),
    Article(
        "digits",
        "rl.digits.command",
        "ニューラルネットワーク 4",
        "handwritten digits with a small CNN",
        "3 s",
        "accuracy 0.90 to 0.955",
    ),
    Article(
        "value_function",
        "rl.value_function",
        "ニューラルネットワーク 5",
        "CartPole by a learned value of each action",
        "10 s",
        "the pole stands for 195 of 200 steps",
    ),
    Article(
        "dqn",
        "rl.dqn",
        "ニューラルネットワーク 6",
        "Catcher from the screen: deep Q-learning",
        "1 min",
        "misses at most 2 of 585 fruits",
    ),
    Article(
        "policy_gradient",
        "rl.policy_gradient",
        "ニューラルネットワーク 7",
        "CartPole by a learned policy",
        "5 s",
        "the pole stands for 195 of 200 steps",
    ),
    Article(
        "a2c",
        "rl.a2c",
        "ニューラルネットワーク 8",
        "Catcher from the screen: advantage actor-critic",
        "2 min",
        "misses at most 2 of 585 fruits",
    ),
    Article(
        "bandit",
        "rl.bandit.command",
        "AlphaZero 1",
        "three slot machines: epsilon-greedy and UCB1",
        "3 s",
        "both near 0.86 of the best arm's 0.9",
    ),
    Article(
        "maze",
        "rl.maze.command",
        "AlphaZero 2",
        "a 3x3 maze by policy gradient",
        "3 s",
        "the 4-step path",
    ),
)

COMMANDS = {article.module: article.command for article in ARTICLES}


def module_of(article: str) -> str:
    """The module of an article; an algorithm of one's own stands in a module of its name."""
    return f"rl.{article}" if article in COMMANDS else article


def program_of(article: str) -> str:
    """The command of an article, or of an algorithm of one's own."""
    return f"python -m {module_of(article)}"
