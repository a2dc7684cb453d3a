"""Sizes and data that all sides share, so that they do the same work.

dense   4 - 64 - 2, relu: CartPole's network
screen  the articles' network on stacks of 4 frames of 80x80 bytes: Conv 32@8x8/4, 64@4x4/2, 64@3x3/1, all
        "same", Dense 256, relu, and a linear output
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nnlite.arrays import Array

BATCH = 32
DENSE = (4, 64, 2)
SCREEN = (80, 80, 4)
SCREEN_ACTIONS = 3
CONVOLUTIONS = ((32, 8, 4), (64, 4, 2), (64, 3, 1))  # filters, kernel, stride
FEATURES = 256
GAMMA, LEARNING_RATE, HUBER_DELTA, CLIP_NORM = 0.99, 1e-3, 1.0, 10.0
ADAM_EPSILON = 1e-7
A2C_STEPS, A2C_GAMES = 4, 8  # together one batch
A2C_LAMBDA, VALUE_WEIGHT, ENTROPY_WEIGHT, A2C_CLIP = 0.95, 0.5, 0.01, 5.0


class Transitions(NamedTuple):
    """A batch of the replay, with the field names of rl.core.replay.Batch."""

    observations: Array
    actions: Array
    returns: Array
    next_observations: Array
    discounts: Array


class Play(NamedTuple):
    """T steps of E games for an actor-critic, (T, E, ...); `following` are the next observations (E, ...)."""

    observations: Array
    actions: Array
    rewards: Array
    done: Array
    following: Array


def states(shape: tuple[int, ...], count: int) -> Array:
    """Draw observations (count, *shape): bytes for screens, else floats."""
    rng = np.random.default_rng(0)
    if len(shape) == 3:
        return rng.integers(0, 256, (count, *shape), np.uint8)
    return rng.standard_normal((count, *shape)).astype(np.float32)


def transitions(shape: tuple[int, ...], actions: int, count: int = BATCH) -> Transitions:
    """Draw random transitions; a tenth of them are ends."""
    rng = np.random.default_rng(1)
    ends = rng.random(count) < 0.1
    both = states(shape, 2 * count)
    return Transitions(
        both[:count].copy(),
        rng.integers(0, actions, count),
        rng.standard_normal(count).astype(np.float32),
        both[count:].copy(),
        np.where(ends, 0, GAMMA).astype(np.float32),
    )


def play(shape: tuple[int, ...], actions: int) -> Play:
    """Draw random steps for A2C; a tenth of them are ends."""
    rng = np.random.default_rng(2)
    size = (A2C_STEPS, A2C_GAMES)
    return Play(
        states(shape, BATCH).reshape(*size, *shape),
        rng.integers(0, actions, size),
        rng.standard_normal(size).astype(np.float32),
        rng.random(size) < 0.1,
        states(shape, A2C_GAMES),
    )
