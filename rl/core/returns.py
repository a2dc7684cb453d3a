"""Targets, returns and advantages of steps, and the loss of a chosen action's value.

N transitions, A actions, T steps of E parallel games. Every function checks its shapes: rewards (N,) never
broadcast against values (N, 1).

A function here is the documentation of a compiled kernel. The kernel takes C-contiguous arrays of one
floating type. Anything else it hands to its twin in nnlite.reference, which computes it in NumPy or raises the
error.
"""

from __future__ import annotations

from nnlite_ext import _returns, _td

from nnlite.arrays import Array
from nnlite.reference import returns as returns_reference
from nnlite.reference import td as td_reference


def td_target(returns: Array, discounts: Array, next_q: Array, chooser: Array | None = None) -> Array:
    """Target of Q-learning for N transitions over n steps.

    returns    (N,) float    sum over j < n of gamma^j r_j, in the environment's own unit
    discounts  (N,) float    gamma^n, and 0 where the episode ended for good: nothing is added
    next_q     (N, A) float  Q of the target network at the observation n steps later
    chooser    (N, A) float  whose best action is taken; next_q's own when left out. The online network's Q
                             gives double DQN

    Returns y (N,): y = returns + discounts * next_q[argmax chooser].
    Raises ValueError when shapes differ.  Source: Mnih et al. 2015, eq. 2; van Hasselt et al. 2016, eq. 4.
    """
    return _td.td_target(returns, discounts, next_q, chooser, td_reference.td_target)


def td_loss(q: Array, actions: Array, targets: Array, delta: float = 1.0) -> tuple[float, Array]:
    """Huber loss of the chosen actions' values: (value, dq), the mean over N; dq is zero off the chosen
    action.

    q (N, A), actions (N,) int, targets (N,). e = q[action] - target; e^2/2 where |e| <= delta, else delta
    (|e| - delta/2).
    Raises ValueError when shapes differ or an action is none of A.  Source: Mnih et al. 2015, Methods (the
    clipped error term).
    """
    return _td.td_loss(q, actions, targets, delta, td_reference.td_loss)


def discounted_returns(
    rewards: Array, terminated: Array, done: Array, next_values: Array, gamma: float
) -> Array:
    """G_t = r_t + gamma * G_{t+1}, for T steps of E games.

    rewards      (T, E)
    terminated   (T, E) bool   ended for good: G_{t+1} counts 0
    done         (T, E) bool   the game was over, one way or the other
    next_values  (T, E) float  stands for G_{t+1} where a time limit cut the game off, and after the last step

    Returns (T, E). Raises ValueError when shapes differ.  Source: Sutton & Barto 2018, eq. 3.9.
    """
    otherwise = returns_reference.discounted_returns
    return _returns.discounted_returns(rewards, terminated, done, next_values, gamma, otherwise)


def generalized_advantages(
    rewards: Array,
    values: Array,
    next_values: Array,
    terminated: Array,
    done: Array,
    gamma: float,
    lam: float,
) -> Array:
    """A_t = delta_t + gamma lam A_{t+1} within a game, delta_t = r_t + gamma V(s_{t+1}) - V(s_t).

    All (T, E). next_values are of the real next observation; `terminated` makes them count 0, `done` ends the
    sum. lam = 0 gives one-step advantages, lam = 1 the whole return minus the value.
    Raises ValueError when shapes differ.  Source: Schulman et al. 2016, eq. 16.
    """
    otherwise = returns_reference.generalized_advantages
    return _returns.generalized_advantages(
        rewards, values, next_values, terminated, done, gamma, lam, otherwise
    )
