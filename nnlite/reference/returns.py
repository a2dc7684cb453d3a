"""NumPy twins of nnlite_ext._returns: T steps of E games, from the last to the first."""

from __future__ import annotations

import numpy as np

from nnlite.arrays import Array, require_shapes


def discounted_returns(
    rewards: Array, terminated: Array, done: Array, next_values: Array, gamma: float
) -> Array:
    """G_t = r_t + gamma * G_{t+1}; all arrays (T, E).

    G_{t+1} is next_values[t] where done and after the last step, and 0 where terminated.
    """
    require_shapes(
        rewards.shape == terminated.shape == done.shape == next_values.shape and rewards.ndim == 2,
        "all (T, E)",
        rewards,
        terminated,
        done,
        next_values,
    )
    beyond = np.where(terminated, 0, next_values)
    returns = np.zeros(rewards.shape, np.result_type(rewards, next_values))
    following = beyond[-1]
    for t in reversed(range(len(rewards))):
        returns[t] = following = rewards[t] + gamma * np.where(done[t], beyond[t], following)
    return returns


def generalized_advantages(
    rewards: Array,
    values: Array,
    next_values: Array,
    terminated: Array,
    done: Array,
    gamma: float,
    lam: float,
) -> Array:
    """A_t = delta_t + gamma lam A_{t+1}, delta_t = r_t + gamma next_values[t] - values[t]; all arrays (T, E).

    A_{t+1} is 0 where done, next_values[t] is 0 where terminated.
    """
    require_shapes(
        rewards.shape == values.shape == next_values.shape == terminated.shape == done.shape
        and rewards.ndim == 2,
        "all (T, E)",
        rewards,
        values,
        next_values,
        terminated,
        done,
    )
    delta = rewards + gamma * np.where(terminated, 0, next_values) - values
    carried = np.where(done, 0, gamma * lam).astype(delta.dtype)
    advantages = np.zeros_like(delta)
    following = np.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        advantages[t] = following = delta[t] + carried[t] * following
    return advantages
