"""The maze article, compiled: one episode, the three updates, the whole learning run; and N games of
rl/Maze-v0.

    repeat: play one episode with the policy pi = softmax(theta); change theta; stop when pi hardly moves

Arrays (S cells, 4 actions up, right, down, left; a wall has neighbour -1, theta NaN and pi 0):
    neighbour  (S, 4) int32     the maze
    theta, pi  (S, 4) float64   the parameters, the policy
    counts     (S, 4) int64     n_ij: how often the episode took action j in cell i
    moments    (S, 4) float64   sum of the times (0 is the first step) at which it did
    stream     (1,)   uint64    the run's random stream, IN/OUT
An episode keeps these sums instead of its history. The three updates need no more, and a walk of a million
steps through a large maze needs no memory.

Contract: the caller checks sizes; nothing here raises or holds the GIL. rl/maze/__init__.py has the algorithm
in NumPy, for reading.
"""

from __future__ import annotations

import math

import numpy as np

from nnlite.arrays import Array
from rl.envs.compiled import njit
from rl.envs.random_stream import uniform

ARTICLE, GRADIENT, ADVANTAGE = 0, 1, 2  # the rules of `update`; rl/maze/__init__.py explains them
CELL, STEPS = 0, 1  # columns of a game's state, see `step_games`
COLUMNS = 2
ENDED, BAD_ACTION = 2, -1  # as in rl.envs.native_vector
VALUE_RATE = 0.1  # of the running mean in the advantage update


@njit(nogil=True)
def policy(theta: Array, pi: Array) -> float:
    """Write pi = softmax(theta) over the open sides of each cell; return sum |new pi - old pi|."""
    moved = 0.0
    for cell in range(theta.shape[0]):
        highest, total = -math.inf, 0.0
        for action in range(4):
            if theta[cell, action] > highest:  # never true of NaN: walls take no part
                highest = theta[cell, action]
        for action in range(4):
            if not math.isnan(theta[cell, action]):
                total += math.exp(theta[cell, action] - highest)
        for action in range(4):
            if not math.isnan(theta[cell, action]):
                chance = math.exp(theta[cell, action] - highest) / total
                moved += abs(chance - pi[cell, action])
                pi[cell, action] = chance
    return moved


@njit(nogil=True)
def choose(pi: Array, cell: int, stream: Array) -> int:
    """Draw an action with chance pi[cell, action]. Takes one random number."""
    left = uniform(stream)
    last = 0
    for action in range(4):
        if pi[cell, action] > 0.0:
            last = action
            left -= pi[cell, action]
            if left < 0.0:
                return action
    return last  # rounding: the chances sum to slightly less than 1


@njit(nogil=True)
def episode(
    neighbour: Array,
    pi: Array,
    start: int,
    goal: int,
    max_steps: int,
    stream: Array,
    counts: Array,
    moments: Array,
) -> tuple[int, int]:
    """Walk from start to goal, or for max_steps steps; fill counts and moments; return (steps, last cell)."""
    counts[:], moments[:] = 0, 0.0
    cell, steps = start, 0
    while cell != goal and steps < max_steps:
        action = choose(pi, cell, stream)
        counts[cell, action] += 1
        moments[cell, action] += steps
        cell = neighbour[cell, action]
        steps += 1
    return steps, cell


@njit(nogil=True)
def count_update(theta: Array, pi: Array, counts: Array, steps: int, eta: float, sign: float) -> None:
    """Update theta_ij += eta * (n_ij + sign * pi_ij * n_i) / steps."""
    for cell in range(theta.shape[0]):
        visits = counts[cell].sum()
        if visits > 0:
            for action in range(4):  # adding to NaN leaves NaN
                theta[cell, action] += eta * (counts[cell, action] + sign * pi[cell, action] * visits) / steps


@njit(nogil=True)
def advantage_update(
    theta: Array, value: Array, counts: Array, moments: Array, length: float, eta: float
) -> None:
    """Update theta_ij += eta * max(-1, 1 - to_go_ij / value_i), then the running mean value_i.

    length    steps of the episode; of a truncated one plus the steps expected from its last cell
    to_go_ij  mean steps from taking action j in cell i to the end: length - mean time
    value     (S,) expected steps from each cell to the goal; 0 where no episode has been
    """
    for cell in range(theta.shape[0]):
        visits = counts[cell].sum()
        if visits == 0:
            continue
        mean_to_go = length - moments[cell].sum() / visits
        if value[cell] == 0.0:
            value[cell] = mean_to_go
        for action in range(4):
            if counts[cell, action] > 0:
                to_go = length - moments[cell, action] / counts[cell, action]
                theta[cell, action] += eta * max(-1.0, 1.0 - to_go / value[cell])
        value[cell] += VALUE_RATE * (mean_to_go - value[cell])


@njit(nogil=True)
def update(
    rule: int,
    theta: Array,
    value: Array,
    pi: Array,
    counts: Array,
    moments: Array,
    steps: int,
    last: int,
    goal: int,
    eta: float,
) -> None:
    """Learn from one episode by one of the three rules; the first two ignore a truncated one."""
    if rule == ADVANTAGE:
        length = float(steps) if last == goal else steps + value[last]
        advantage_update(theta, value, counts, moments, length, eta)
    elif last == goal:
        count_update(theta, pi, counts, steps, eta, 1.0 if rule == ARTICLE else -1.0)


@njit(nogil=True)
def learn(
    neighbour: Array,
    start: int,
    goal: int,
    rule: int,
    eta: float,
    stop_below: float,
    stop_after: int,
    max_steps: int,
    max_episodes: int,
    theta: Array,
    value: Array,
    streams: Array,
    episodes: Array,
    calm: Array,
    lengths: Array,
    moves: Array,
) -> None:
    """Continue R runs, one after the other, each until it has settled or has played `max_episodes` in all.

    stop_below, stop_after  a run has settled when its policy moved less than stop_below in each of its last
                            stop_after episodes; a truncated episode never counts
    theta     (R, S, 4)     IN/OUT
    value     (R, S)        IN/OUT  used by the advantage update only
    streams   (R,) uint64   IN/OUT
    episodes  (R,) int64    IN/OUT  episodes played so far
    calm      (R,) int64    IN/OUT  episodes in a row, up to now, that hardly moved the policy
    lengths   (R, E) int64, moves (R, E) float64  OUT  steps and movement of episode e, where e < E

    A second call with the same arrays and a larger max_episodes continues as if there had been no pause.
    """
    pi = np.zeros(theta.shape[1:])
    counts, moments = np.zeros(pi.shape, np.int64), np.zeros(pi.shape)
    for run in range(len(streams)):
        pi[:] = 0.0
        policy(theta[run], pi)
        while episodes[run] < max_episodes and calm[run] < stop_after:
            steps, last = episode(
                neighbour, pi, start, goal, max_steps, streams[run : run + 1], counts, moments
            )
            update(rule, theta[run], value[run], pi, counts, moments, steps, last, goal, eta)
            moved = policy(theta[run], pi)
            calm[run] = calm[run] + 1 if moved < stop_below and last == goal else 0
            if episodes[run] < lengths.shape[1]:
                lengths[run, episodes[run]], moves[run, episodes[run]] = steps, moved
            episodes[run] += 1


@njit(nogil=True)
def mean_length(
    neighbour: Array, pi: Array, start: int, goal: int, max_steps: int, games: int, stream: Array
) -> float:
    """Return the mean steps of `games` episodes drawn from the policy."""
    counts, moments = np.zeros(pi.shape, np.int64), np.zeros(pi.shape)
    total = 0
    for _ in range(games):
        total += episode(neighbour, pi, start, goal, max_steps, stream, counts, moments)[0]
    return total / games


@njit()
def step_games(
    neighbour: Array,
    goal: int,
    states: Array,
    actions: Array,
    limit: int,
    observations: Array,
    rewards: Array,
    terminated: Array,
    truncated: Array,
) -> int:
    """Move N games of rl/Maze-v0 by one step.

    states        (N, 2) float64  IN/OUT  the cell, the steps so far
    actions       (N,) int64      IN      0 up, 1 right, 2 down, 3 left
    limit         int             IN      steps after which a game is truncated
    observations  (N,) int64, rewards (N,) float64, terminated (N,) bool, truncated (N,) bool      OUT

    Returns BAD_ACTION with nothing written, ENDED if a game ended, or 0.
    """
    for i in range(len(actions)):
        if actions[i] < 0 or actions[i] > 3:
            return BAD_ACTION
    events = 0
    for i in range(len(actions)):
        cell = int(states[i, CELL])
        if neighbour[cell, actions[i]] >= 0:
            cell = neighbour[cell, actions[i]]
        states[i, CELL] = cell
        states[i, STEPS] += 1.0
        observations[i] = cell
        rewards[i] = -1.0
        terminated[i] = cell == goal
        truncated[i] = states[i, STEPS] >= limit
        if terminated[i] or truncated[i]:
            events = ENDED
    return events
