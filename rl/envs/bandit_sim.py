"""The slot machines of the bandit article, compiled.

One function per algorithm plays N simulations of T plays; `step_games` moves N games of rl/Bandit-v0.

    simulation s: forget everything; for each play t = 1 .. T: choose an arm, draw its coin, learn

Contract of the algorithms' kernels (the caller checks sizes; nothing raises; the GIL is not held):
    p        (A,)   float64  IN      chance of a coin of each arm
    streams  (N,)   uint64   IN/OUT  one random stream per simulation
    chosen   (N, T) uint8    OUT     the arm of each play
    rewards  (N, T) uint8    OUT     1 for a coin, else 0
Each is the twin of a class in rl/bandit, number for number: tests/rl/articles/test_bandit.py keeps the two
equal.
"""

from __future__ import annotations

import math

import numpy as np

from nnlite.arrays import Array
from rl.envs.compiled import njit
from rl.envs.random_stream import below, beta, uniform

PLAYS, NEXT, FIRST_ARM = 0, 1, 2  # columns of a game's state, see `step_games`
SPAWNED, ENDED, BAD_ACTION = 1, 2, -1  # as in rl.envs.native_vector


@njit(nogil=True)
def draw(p: Array, arm: int, stream: Array) -> float:
    """Draw the coin of an arm: 1.0 with chance p[arm], else 0.0. Takes one random number."""
    return 1.0 if uniform(stream) < p[arm] else 0.0


@njit(nogil=True)
def highest(value: Array) -> tuple[int, int]:
    """Return the first arm of the highest value, and the number of arms that share that value."""
    best, ties = 0, 1
    for arm in range(1, len(value)):
        if value[arm] > value[best]:
            best, ties = arm, 1
        elif value[arm] == value[best]:
            ties += 1
    return best, ties


@njit(nogil=True)
def break_tie(value: Array, best: int, ties: int, stream: Array) -> int:
    """Draw one of the arms that share the highest value, all equally likely. Takes one random number."""
    skip = below(stream, ties)
    for arm in range(best, len(value)):
        if value[arm] == value[best]:
            if skip == 0:
                return arm
            skip -= 1
    return best


@njit(nogil=True)
def pick(weight: Array, stream: Array) -> int:
    """Draw an arm with chance weight[arm] / sum(weight). Takes one random number."""
    total = 0.0
    for arm in range(len(weight)):
        total += weight[arm]
    left = uniform(stream) * total
    for arm in range(len(weight) - 1):
        left -= weight[arm]
        if left < 0.0:
            return arm
    return len(weight) - 1


@njit(nogil=True)
def epsilon_greedy(
    p: Array, epsilon: float, random_ties: bool, streams: Array, chosen: Array, rewards: Array
) -> None:
    n, v = np.zeros(len(p)), np.zeros(len(p))  # plays and mean reward of each arm
    for s in range(len(streams)):
        stream = streams[s : s + 1]
        n[:], v[:] = 0.0, 0.0
        for t in range(chosen.shape[1]):
            if uniform(stream) < epsilon:
                arm = below(stream, len(p))
            else:
                arm, ties = highest(v)
                if ties > 1 and random_ties:
                    arm = break_tie(v, arm, ties, stream)
            reward = draw(p, arm, stream)
            n[arm] += 1.0
            v[arm] += (reward - v[arm]) / n[arm]
            chosen[s, t], rewards[s, t] = arm, reward


@njit(nogil=True)
def ucb1(p: Array, streams: Array, chosen: Array, rewards: Array) -> None:
    """Every play changes the bound w/n + sqrt(2 ln t / n) of all arms: ln, roots and 1/n come from tables."""
    arms, num_time = len(p), chosen.shape[1]
    bonus = np.array([math.sqrt(2.0 * math.log(t)) for t in range(1, num_time + 1)])
    per_n = np.array([1.0 / n for n in range(1, num_time + 1)])
    per_root = np.array([1.0 / math.sqrt(n) for n in range(1, num_time + 1)])
    n, w = np.zeros(arms, np.int64), np.zeros(arms)  # plays and coins of each arm
    mean, width = np.zeros(arms), np.zeros(arms)  # w / n and 1 / sqrt(n)
    for s in range(len(streams)):
        stream = streams[s : s + 1]
        n[:], w[:] = 0, 0.0
        for t in range(num_time):
            arm = t  # each arm once
            if t >= arms:
                arm, highest_bound = 0, -1.0
                for i in range(arms):
                    bound = mean[i] + bonus[t - 1] * width[i]  # after t plays: bonus[t - 1] belongs to ln t
                    if bound > highest_bound:
                        arm, highest_bound = i, bound
            reward = draw(p, arm, stream)
            w[arm] += reward
            mean[arm], width[arm] = w[arm] * per_n[n[arm]], per_root[n[arm]]
            n[arm] += 1
            chosen[s, t], rewards[s, t] = arm, reward


@njit(nogil=True)
def softmax(p: Array, temperature: float, streams: Array, chosen: Array, rewards: Array) -> None:
    n, v = np.zeros(len(p)), np.zeros(len(p))
    weight = np.zeros(len(p))  # exp(v / temperature), kept up to date
    for s in range(len(streams)):
        stream = streams[s : s + 1]
        n[:], v[:], weight[:] = 0.0, 0.0, 1.0
        for t in range(chosen.shape[1]):
            arm = pick(weight, stream)
            reward = draw(p, arm, stream)
            n[arm] += 1.0
            v[arm] += (reward - v[arm]) / n[arm]
            weight[arm] = math.exp(v[arm] / temperature)
            chosen[s, t], rewards[s, t] = arm, reward


@njit(nogil=True)
def thompson(p: Array, streams: Array, chosen: Array, rewards: Array) -> None:
    coins, blanks = np.zeros(len(p)), np.zeros(len(p))
    belief = np.zeros(len(p))  # one sample of each arm's chance
    for s in range(len(streams)):
        stream = streams[s : s + 1]
        coins[:], blanks[:] = 0.0, 0.0
        for t in range(chosen.shape[1]):
            for arm in range(len(p)):
                belief[arm] = beta(stream, 1.0 + coins[arm], 1.0 + blanks[arm])
            arm = int(np.argmax(belief))
            reward = draw(p, arm, stream)
            coins[arm] += reward
            blanks[arm] += 1.0 - reward
            chosen[s, t], rewards[s, t] = arm, reward


@njit(nogil=True)
def gradient(p: Array, step_size: float, streams: Array, chosen: Array, rewards: Array) -> None:
    arms = len(p)
    preference, weight = np.zeros(arms), np.zeros(arms)  # h and exp(h)
    for s in range(len(streams)):
        stream = streams[s : s + 1]
        preference[:], weight[:], baseline = 0.0, 1.0, 0.0
        for t in range(chosen.shape[1]):
            arm = pick(weight, stream)
            reward = draw(p, arm, stream)
            push = step_size * (reward - baseline)
            total = weight.sum()
            for i in range(arms):
                preference[i] += push * ((1.0 if i == arm else 0.0) - weight[i] / total)
            for i in range(arms):
                weight[i] = math.exp(preference[i])
            baseline += (reward - baseline) / (t + 1)
            chosen[s, t], rewards[s, t] = arm, reward


@njit()
def step_games(
    p: Array,
    states: Array,
    actions: Array,
    limit: int,
    observations: Array,
    rewards: Array,
    terminated: Array,
    truncated: Array,
) -> int:
    """Move N games of rl/Bandit-v0 by one play.

    p             (A,) float64          IN      chance of a coin of each arm
    states        (N, 2 + 2 A) float64  IN/OUT  plays so far, the next play's random number, then plays and
                                                coins of each arm
    actions       (N,) int64            IN      the arms
    limit         int                   IN      plays after which a game is truncated
    observations  (N,) int64, rewards (N,) float64, terminated (N,) bool, truncated (N,) bool      OUT

    Returns BAD_ACTION with nothing written, or SPAWNED (random numbers were used up), + ENDED if a game
    ended.
    """
    for i in range(len(actions)):
        if actions[i] < 0 or actions[i] >= len(p):
            return BAD_ACTION
    events = SPAWNED
    for i in range(len(actions)):
        arm = actions[i]
        rewards[i] = 1.0 if states[i, NEXT] < p[arm] else 0.0
        states[i, PLAYS] += 1.0
        states[i, FIRST_ARM + 2 * arm] += 1.0
        states[i, FIRST_ARM + 2 * arm + 1] += rewards[i]
        observations[i] = 0
        terminated[i] = False
        truncated[i] = states[i, PLAYS] >= limit
        if truncated[i]:
            events = SPAWNED + ENDED
    return events
