"""NumPy twins of nnlite_ext._td: the target of Q-learning, and the loss of a chosen action's value."""

from __future__ import annotations

import numpy as np

from nnlite.arrays import Array, require_shapes


def td_target(returns: Array, discounts: Array, next_q: Array, chooser: Array | None = None) -> Array:
    """y (N,) = returns + discounts * next_q[argmax of chooser], from (N,), (N,), (N, A) and (N, A)."""
    chooser = next_q if chooser is None else chooser
    require_shapes(
        next_q.ndim == 2 and chooser.shape == next_q.shape, "next_q and chooser (N, A)", next_q, chooser
    )
    require_shapes(
        returns.shape == discounts.shape == next_q.shape[:1], "returns and discounts (N,)", returns, discounts
    )
    best = chooser.argmax(axis=1)
    return returns + discounts * next_q[np.arange(len(best)), best]


def td_loss(q: Array, actions: Array, targets: Array, delta: float = 1.0) -> tuple[float, Array]:
    """Mean Huber loss of q[actions] - targets, and its gradient dq (N, A), zero off the actions."""
    require_shapes(
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
