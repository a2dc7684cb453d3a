"""What a step was worth: targets, returns and advantages, and the loss of a chosen action's value.

N transitions, A actions, T steps of E parallel games. Every function checks its shapes: rewards (N,) never
broadcast against values (N, 1). They run compiled where types and shapes allow it; NumPy below says what they
do, takes any number type and answers what does not fit.
"""

from __future__ import annotations

import numpy as np
from nnlite_ext import _returns, _td

from nnlite.arrays import Array


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
    compiled = _td.td_target(returns, discounts, next_q, chooser)
    if compiled is not None:
        return compiled
    chooser = next_q if chooser is None else chooser
    _shapes(next_q.ndim == 2 and chooser.shape == next_q.shape, "next_q and chooser (N, A)", next_q, chooser)
    _shapes(
        returns.shape == discounts.shape == next_q.shape[:1], "returns and discounts (N,)", returns, discounts
    )
    best = chooser.argmax(axis=1)
    return returns + discounts * next_q[np.arange(len(best)), best]


def td_loss(q: Array, actions: Array, targets: Array, delta: float = 1.0) -> tuple[float, Array]:
    """Huber loss of the chosen actions' values: (value, dq), the mean over N; dq is zero off the chosen
    action.

    q (N, A), actions (N,) int, targets (N,). e = q[action] - target; e^2/2 where |e| <= delta, else delta
    (|e| - delta/2).
    Raises ValueError when shapes differ or an action is none of A.  Source: Mnih et al. 2015, Methods (the
    clipped error term).
    """
    compiled = _td.td_loss(q, actions, targets, delta)
    if compiled is not None:
        return compiled
    _shapes(
        q.ndim == 2 and actions.shape == targets.shape == q.shape[:1],
        "q (N, A), actions and targets (N,)",
        q,
        actions,
        targets,
    )
    if q.size == 0 or q.dtype.kind != "f" or not delta > 0:
        raise ValueError(
            f"need floats for one transition at least, and delta > 0: {q.dtype}{q.shape}, {delta}"
        )
    if actions.dtype.kind not in "iu" or actions.min() < 0 or actions.max() >= q.shape[1]:
        raise ValueError(f"actions must be whole numbers from 0 to {q.shape[1] - 1}: {actions}")
    rows = np.arange(len(q))
    error = q[rows, actions] - targets
    inside = np.clip(error, -delta, delta)
    dq = np.zeros_like(q)
    dq[rows, actions] = inside / len(q)
    return float(np.mean(inside * (error - 0.5 * inside))), dq


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
    compiled = _returns.discounted_returns(rewards, terminated, done, next_values, gamma)
    if compiled is not None:
        return compiled
    _shapes(
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
    """A_t = delta_t + gamma lam A_{t+1} within a game, delta_t = r_t + gamma V(s_{t+1}) - V(s_t).

    All (T, E). next_values are of the real next observation; `terminated` makes them count 0, `done` ends the
    sum. lam = 0 gives one-step advantages, lam = 1 the whole return minus the value.
    Raises ValueError when shapes differ.  Source: Schulman et al. 2016, eq. 16.
    """
    compiled = _returns.generalized_advantages(rewards, values, next_values, terminated, done, gamma, lam)
    if compiled is not None:
        return compiled
    _shapes(
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


def _shapes(fit: bool, wanted: str, *arrays: Array) -> None:
    if not fit:
        raise ValueError(f"need {wanted}; got {', '.join(str(a.shape) for a in arrays)}")
