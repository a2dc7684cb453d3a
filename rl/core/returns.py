"""Targets, returns and advantages, and the loss of the chosen actions' values.

N transitions, A actions, T steps of E parallel games. Every function checks its shapes: rewards (N,) never
broadcast against values (N, 1).

The functions are compiled, for C-contiguous arrays of one floating type. Other arguments go to the twins in
nnlite.reference, which compute in NumPy or raise the error.
"""

from __future__ import annotations

from nnlite_ext import _returns, _td

from nnlite.arrays import Array
from nnlite.reference import returns as returns_reference
from nnlite.reference import td as td_reference


def td_target(returns: Array, discounts: Array, next_q: Array, chooser: Array | None = None) -> Array:
    """Return the target of Q-learning for N transitions over n steps.

    returns    (N,) float    sum over j < n of gamma^j r_j, in the environment's own unit
    discounts  (N,) float    gamma^n, and 0 where the episode terminated: nothing is added
    next_q     (N, A) float  Q of the target network at the observation n steps later
    chooser    (N, A) float  chooses the action; default next_q. Double DQN gives the online network's Q

    Returns y (N,): y = returns + discounts * next_q[argmax chooser].
    Raises ValueError when shapes differ.  Source: Mnih et al. 2015, eq. 2; van Hasselt et al. 2016, eq. 4.
    """
    return _td.td_target(returns, discounts, next_q, chooser, td_reference.td_target)


def td_loss(q: Array, actions: Array, targets: Array, delta: float = 1.0) -> tuple[float, Array]:
    """Return the mean Huber loss of the chosen actions' values and its derivative: (value, dq (N, A)).

    q        (N, A) float
    actions  (N,) int      the actions taken; dq is zero for the others
    targets  (N,) float
    delta    > 0           infinity gives half the squared error

    e = q[action] - target; the loss is e^2/2 where |e| <= delta, else delta (|e| - delta/2).
    Raises ValueError when shapes differ or an action is not in 0..A-1.
    Source: Mnih et al. 2015, Methods (the clipped error term).
    """
    return _td.td_loss(q, actions, targets, delta, td_reference.td_loss)


def discounted_returns(
    rewards: Array, terminated: Array, done: Array, next_values: Array, gamma: float
) -> Array:
    """Return G_t = r_t + gamma * G_{t+1}, for T steps of E games.

    rewards      (T, E)
    terminated   (T, E) bool   the game terminated: G_{t+1} counts 0
    done         (T, E) bool   the game terminated or was truncated
    next_values  (T, E) float  G_{t+1} where the game was truncated, and after the last step

    Returns (T, E). Raises ValueError when shapes differ.  Source: Sutton & Barto 2018, eq. 3.9.
    """
    twin = returns_reference.discounted_returns
    return _returns.discounted_returns(rewards, terminated, done, next_values, gamma, twin)


def generalized_advantages(
    rewards: Array,
    values: Array,
    next_values: Array,
    terminated: Array,
    done: Array,
    gamma: float,
    lam: float,
) -> Array:
    """Return A_t = delta_t + gamma lam A_{t+1} within a game, delta_t = r_t + gamma V(s_{t+1}) - V(s_t).

    All arrays are (T, E). next_values is V of the next observation, the last one of an ended game. It counts
    0 where terminated. The sum ends where done. lam = 0 gives one-step advantages, lam = 1 the whole return
    minus the value.
    Raises ValueError when shapes differ.  Source: Schulman et al. 2016, eq. 16.
    """
    twin = returns_reference.generalized_advantages
    return _returns.generalized_advantages(rewards, values, next_values, terminated, done, gamma, lam, twin)
