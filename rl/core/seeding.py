"""Independent random generators for each purpose of a run, all from one seed.

The number of draws for one purpose never changes the random numbers of another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Streams(NamedTuple):
    """The generators of one run. `environment` and `evaluation` are seeds for Gymnasium's reset."""

    network: np.random.Generator
    exploration: np.random.Generator
    replay: np.random.Generator
    environment: int
    evaluation: int


def streams(seed: int, key: tuple[int, ...] = ()) -> Streams:
    """Make the generators from SeedSequence(seed).spawn, in a fixed order.

    key  spawn key of two or more numbers: separates processes that share the seed of a run
    """
    sequence = np.random.SeedSequence(seed, spawn_key=key)
    network, exploration, replay, environment, evaluation = sequence.spawn(5)
    return Streams(
        np.random.default_rng(network),
        np.random.default_rng(exploration),
        np.random.default_rng(replay),
        _draw_number(environment),
        _draw_number(evaluation),
    )


def _draw_number(sequence: np.random.SeedSequence) -> int:
    return int(sequence.generate_state(1, np.uint32)[0])
