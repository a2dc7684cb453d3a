"""One seed, one generator for each purpose: evaluating more often or acting differently never changes
another's numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Streams(NamedTuple):
    """Independent generators of one run. `environment` is an integer, as Gymnasium's reset wants it."""

    network: np.random.Generator
    exploration: np.random.Generator
    replay: np.random.Generator
    environment: int
    evaluation: int


def streams(seed: int, key: tuple[int, ...] = ()) -> Streams:
    """The generators that SeedSequence(seed).spawn gives, in a fixed order.

    key  of a process that shares the run's seed with others, two numbers or more: its own generators
    """
    network, exploration, replay, environment, evaluation = np.random.SeedSequence(seed, spawn_key=key).spawn(
        5
    )
    return Streams(
        np.random.default_rng(network),
        np.random.default_rng(exploration),
        np.random.default_rng(replay),
        _number(environment),
        _number(evaluation),
    )


def _number(sequence: np.random.SeedSequence) -> int:
    return int(sequence.generate_state(1, np.uint32)[0])
