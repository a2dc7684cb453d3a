"""Random numbers for the compiled simulations: one tiny stream for each simulation.

A stream is one uint64 in an array. SplitMix64 adds a constant to it and scrambles the sum:

    state += 0x9E3779B97F4A7C15
    z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9
    z = (z     ^ z     >> 27) * 0x94D049BB133111EB
    number = z ^ z >> 31

Why not a NumPy Generator: handing one to a numba function costs 9 us, more than a whole game of the article's
maze, and a thousand simulations on several cores need a thousand of them. A stream here is eight bytes: it
lives in a row of an array, is saved and restored with it, and belongs to its simulation alone. So a
simulation gives the same result alone, among a thousand others, and on any number of cores.

The seeds come from np.random.SeedSequence, which spreads neighbouring seeds over the 2**64 states. Two
streams overlap with a chance of about (streams squared) * (numbers drawn) / 2**64: 5e-7 for ten thousand
streams of 100,000 numbers.

Sources: Steele, Lea and Flood 2014 (SplitMix64); Marsaglia and Tsang 2000 (gamma).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numba import njit

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_27, _30, _31, _11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(11)
_TO_UNIT = 1.0 / 9007199254740992.0  # 2**-53: the upper 53 bits become a float in [0, 1)


def streams_of(seed: int, count: int) -> np.ndarray:
    """`count` streams (count,) uint64 of one seed; the first k are the same whatever the count."""
    return np.random.SeedSequence(seed).generate_state(count, np.uint64)


def streams_of_seeds(seeds: Iterable[int]) -> np.ndarray:
    """One stream for each seed, (len(seeds),) uint64: row i is `streams_of(seeds[i], 1)`."""
    return np.concatenate([streams_of(int(seed), 1) for seed in seeds])


@njit(cache=True, nogil=True)
def uniform(stream: np.ndarray) -> float:
    """The next number of the stream (1,) uint64, in [0, 1); moves the stream on."""
    state = stream[0] + _STEP
    stream[0] = state
    z = (state ^ (state >> _30)) * _MIX_1
    z = (z ^ (z >> _27)) * _MIX_2
    return ((z ^ (z >> _31)) >> _11) * _TO_UNIT


@njit(cache=True, nogil=True)
def below(stream: np.ndarray, count: int) -> int:
    """A whole number in 0 .. count - 1, each as likely as the others."""
    return int(uniform(stream) * count)


@njit(cache=True, nogil=True)
def normal(stream: np.ndarray) -> float:
    """A standard normal number (Box-Muller: two uniform numbers, the sine is not used)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(stream)))
    return radius * math.cos(2.0 * math.pi * uniform(stream))


@njit(cache=True, nogil=True)
def gamma(stream: np.ndarray, shape: float) -> float:
    """A gamma number of unit scale, for shape >= 1, by Marsaglia and Tsang's rejection."""
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal(stream)
        v = (1.0 + c * x) ** 3
        if v > 0.0 and math.log(1.0 - uniform(stream)) < 0.5 * x * x + d - d * v + d * math.log(v):
            return d * v


@njit(cache=True, nogil=True)
def beta(stream: np.ndarray, a: float, b: float) -> float:
    """A beta number for a, b >= 1: x / (x + y) of two gamma numbers."""
    x = gamma(stream, a)
    return x / (x + gamma(stream, b))


class Stream:
    """One stream for code that is read or stepped through in Python; same numbers as in the compiled
    simulations.

    Has the three methods of np.random.Generator that the bandit's classes use, so either can be handed to
    them.
    """

    def __init__(self, state: np.ndarray) -> None:
        self.state = state  # (1,) uint64, a view: the caller's array moves on too

    def random(self) -> float:
        return uniform(self.state)

    def integers(self, count: int) -> int:
        return below(self.state, count)

    def beta(self, a: float, b: float) -> float:
        return beta(self.state, float(a), float(b))
