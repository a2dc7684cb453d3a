"""Thousands of simulations of the slot machines: compiled, over all cores; and the same in plain Python."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnlite.arrays import Array
from rl.bandit.algorithms import Algorithm, Arm
from rl.envs.parallel import over_rows


def simulate(
    algo: Algorithm, arms: Sequence[Arm], streams: Array, num_time: int, num_threads: int = 0
) -> tuple[Array, Array]:
    """Play one simulation of `num_time` plays for each random stream.

    streams      (N,) uint64  IN/OUT
    num_threads  0 = all cores

    Returns (chosen, rewards), both (N, num_time) uint8, a reward of 1 for a coin. Row i depends on stream i
    alone: a thousand simulations at once are the same as one by one. An algorithm without `simulate` is
    stepped in Python. Raises ValueError without streams or plays, or unless there are 1 to 256 arms.
    """
    if len(streams) < 1 or num_time < 1 or not 1 <= len(arms) <= 256:
        raise ValueError(
            f"{len(streams)} simulations of {num_time} plays on {len(arms)} arms\n"
            "  give one of each at least, and at most 256 arms"
        )
    chosen = np.empty((len(streams), num_time), np.uint8)
    rewards = np.empty((len(streams), num_time), np.uint8)
    if not hasattr(algo, "simulate"):
        step_through(algo, arms, streams, chosen, rewards)
        return chosen, rewards
    chances = np.array([arm.p for arm in arms], float)

    def simulate_rows(rows: slice) -> None:
        algo.simulate(chances, streams[rows], chosen[rows], rewards[rows])

    over_rows(simulate_rows, len(streams), num_threads)
    return chosen, rewards


def step_through(algo: Algorithm, arms: Sequence[Arm], streams: Array, chosen: Array, rewards: Array) -> None:
    """Reference implementation in plain Python; tests compare `simulate` with it."""
    from rl.envs.random_stream import Stream

    for sim in range(len(streams)):
        rng = Stream(streams[sim : sim + 1])
        algo.initialize(len(arms), rng)
        for t in range(chosen.shape[1]):
            arm = algo.select_arm()
            reward = arms[arm].draw(rng)
            algo.update(arm, reward, t + 1)
            chosen[sim, t], rewards[sim, t] = arm, reward


def streams_of(seed: int, count: int) -> Array:
    """Return the random streams (count,) uint64 of a seed, one for each simulation."""
    from rl.envs import random_stream  # numba is imported with the first game, not with the module

    return random_stream.streams_of(seed, count)
