"""NumPy twins of nnlite_ext._td and nnlite_ext._bound_adam. The twin of nnlite_ext._dense is the layers themselves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnlite import reference_adam

Array = np.ndarray[Any, np.dtype[Any]]


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


def checked_adam_step(
    params: Array, grads: Array, m: Array, v: Array, learning_rate: float, beta1: float, beta2: float, epsilon: float,
    clip_value: float, clip_norm: float, clip_variables: float, edges: Array, t: int,
) -> bool:
    """Step t of Adam on flat arrays, in place; False when the gradient is not finite.

    The gradient is scaled down to the norm clip_norm, or each variable's, numbers [edges[2i], edges[2i + 1]), to clip_variables.
    """
    norm = math.sqrt(reference_adam.sum_of_squares(grads))
    if not math.isfinite(norm):
        return False
    for first, last in edges.reshape(-1, 2) if clip_variables > 0 else ():
        length = math.sqrt(reference_adam.sum_of_squares(grads[first:last]))
        grads[first:last] *= grads.dtype.type(clip_variables / length) if length > clip_variables else 1
    lr_t = learning_rate * math.sqrt(1 - beta2**t) / (1 - beta1**t)
    scale = clip_norm / norm if 0 < clip_norm < norm else 1.0
    reference_adam.adam_step(params, grads, m, v, lr_t, beta1, beta2, epsilon, clip_value, scale)
    return True
