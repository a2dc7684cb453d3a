"""NumPy twins of nnlite_ext._adam."""

from __future__ import annotations

import math

import numpy as np

from nnlite.arrays import Array


def adam_step(
    params: Array,
    grads: Array,
    m: Array,
    v: Array,
    lr_t: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    clip_value: float,
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


def checked_adam_step(
    params: Array,
    grads: Array,
    m: Array,
    v: Array,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    clip_value: float,
    clip_norm: float,
    clip_variables: float,
    edges: Array,
    t: int,
) -> bool:
    """Step t of Adam on flat arrays, in place; False when the gradient is not finite.

    The gradient is scaled down to the norm clip_norm, and each variable's, numbers [edges[i], edges[i + 1]),
    to clip_variables.
    """
    norm = math.sqrt(sum_of_squares(grads))
    if not math.isfinite(norm):
        return False
    grads = grads.copy()
    for first, last in zip(edges[:-1], edges[1:]) if clip_variables > 0 else ():
        length = math.sqrt(sum_of_squares(grads[first:last]))
        grads[first:last] *= grads.dtype.type(clip_variables / length) if length > clip_variables else 1
    lr_t = learning_rate * math.sqrt(1 - beta2**t) / (1 - beta1**t)
    scale = clip_norm / norm if 0 < clip_norm < norm else 1.0
    adam_step(params, grads, m, v, lr_t, beta1, beta2, epsilon, clip_value, scale)
    return True


def sum_of_squares(x: Array) -> float:
    """The sum of x*x in float64."""
    return float(np.sum(np.square(x, dtype=np.float64)))
