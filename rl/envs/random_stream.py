"""Random numbers for the compiled simulations: one tiny stream for each simulation.

A stream is one uint64 in an array. SplitMix64 adds a constant to it and scrambles the sum:

    state += 0x9E3779B97F4A7C15
    z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9
    z = (z     ^ z     >> 27) * 0x94D049BB133111EB
    number = z ^ z >> 31

Why not a NumPy Generator: passing one to a numba function costs 9 us, more than a whole game of the article's
maze, and a thousand simulations on several cores need a thousand of them. A stream is eight bytes: a row of
an array, saved and restored with it, of one simulation alone. So a simulation gives the same result alone,
among a thousand others, and on any number of cores.

The seeds come from np.random.SeedSequence, which spreads neighbouring seeds over the 2**64 states. Two
streams overlap with a chance of about (streams squared) * (numbers drawn) / 2**64: 5e-7 for ten thousand
streams of 100,000 numbers.

Sources: Steele, Lea and Flood 2014 (SplitMix64); Marsaglia and Tsang 2000 (gamma).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from nnlite.arrays import Array
from rl.envs.compiled import njit

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_27, _30, _31, _11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(11)
_TO_UNIT = 1.0 / 9007199254740992.0  # 2**-53: the upper 53 bits become a float in [0, 1)


def streams_of(seed: int, count: int) -> Array:
    """Return `count` streams (count,) uint64 of one seed; the first k do not depend on the count."""
    return np.random.SeedSequence(seed).generate_state(count, np.uint64)


def streams_of_seeds(seeds: Iterable[int]) -> Array:
    """Return one stream for each seed, (len(seeds),) uint64: row i is `streams_of(seeds[i], 1)`."""
    return np.concatenate([streams_of(int(seed), 1) for seed in seeds])


@njit(nogil=True)
def uniform(stream: Array) -> float:
    """Draw the next number in [0, 1). stream (1,) uint64 IN/OUT."""
    state = stream[0] + _STEP
    stream[0] = state
    z = (state ^ (state >> _30)) * _MIX_1
    z = (z ^ (z >> _27)) * _MIX_2
    return ((z ^ (z >> _31)) >> _11) * _TO_UNIT


@njit(nogil=True)
def below(stream: Array, count: int) -> int:
    """Draw a whole number from 0 to count - 1, all equally likely."""
    return int(uniform(stream) * count)


@njit(nogil=True)
def normal(stream: Array) -> float:
    """Draw a standard normal number (Box-Muller from two uniform numbers, without its sine)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(stream)))
    return radius * math.cos(2.0 * math.pi * uniform(stream))


@njit(nogil=True)
def gamma(stream: Array, shape: float) -> float:
    """Draw from the gamma distribution of unit scale, shape >= 1, by Marsaglia and Tsang's rejection."""
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal(stream)
        v = (1.0 + c * x) ** 3
        if v > 0.0 and math.log(1.0 - uniform(stream)) < 0.5 * x * x + d - d * v + d * math.log(v):
            return d * v


@njit(nogil=True)
def beta(stream: Array, a: float, b: float) -> float:
    """Draw from the beta distribution, a, b >= 1: x / (x + y) of two gamma numbers."""
    x = gamma(stream, a)
    return x / (x + gamma(stream, b))


class Stream:
    """One stream for plain Python; gives the same numbers as in the compiled simulations.

    state  (1,) uint64 IN/OUT, a view: draws change the caller's array

    Implements rl.envs.random_numbers.RandomNumbers, as np.random.Generator does.
    """

    def __init__(self, state: Array) -> None:
        self.state = state

    def random(self) -> float:
        return uniform(self.state)

    def integers(self, count: int) -> int:
        return below(self.state, count)

    def beta(self, a: float, b: float) -> float:
        return beta(self.state, float(a), float(b))
