"""NumPy twins of nnlite_ext._adam."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def adam_step(
    params: Array, grads: Array, m: Array, v: Array, lr_t: float, beta1: float, beta2: float, epsilon: float, clip_value: float,
    scale: float,
) -> None:
    """One step of Adam on flat arrays (P,), in place; lr_t = lr * sqrt(1 - beta2^t) / (1 - beta1^t).

    g = clip(scale * grads, -clip_value, clip_value), no clipping when clip_value <= 0
    m += (1 - beta1) * (g - m);  v += (1 - beta2) * (g*g - v);  params -= lr_t * m / (sqrt(v) + epsilon)
    """
    g = grads * params.dtype.type(scale)
    if clip_value > 0:
        np.clip(g, -clip_value, clip_value, out=g)
    m += (1 - beta1) * (g - m)
    v += (1 - beta2) * (g * g - v)
    params -= lr_t * m / (np.sqrt(v) + epsilon)


def sum_of_squares(x: Array) -> float:
    """The sum of x*x in float64."""
    return float(np.sum(np.square(x, dtype=np.float64)))
