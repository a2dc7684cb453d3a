"""NumPy twins of nnlite_ext._td. The twin of nnlite_ext._network is the layers themselves."""

from __future__ import annotations

import numpy as np

from nnlite.arrays import Array


def td_target(returns: Array, discounts: Array, next_q: Array, chooser: Array | None = None) -> Array:
    """y (N,) = returns + discounts * next_q[argmax of chooser], from (N,), (N,), (N, A) and (N, A)."""
    best = (next_q if chooser is None else chooser).argmax(axis=1)
    return returns + discounts * next_q[np.arange(len(best)), best]


def td_loss(q: Array, actions: Array, targets: Array, delta: float = 1.0) -> tuple[float, Array]:
    """Mean Huber loss of q[actions] - targets, and its gradient dq (N, A), zero off the actions."""
    rows = np.arange(len(q))
    error = q[rows, actions] - targets
    inside = np.clip(error, -delta, delta)
    dq = np.zeros_like(q)
    dq[rows, actions] = inside / len(q)
    return float(np.mean(inside * (error - 0.5 * inside))), dq
