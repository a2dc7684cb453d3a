"""NumPy twins of nnlite_ext._adam."""

import numpy as np


def adam_step(params, grads, m, v, lr_t, beta1, beta2, epsilon, clip_value, scale):
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


def sum_of_squares(x):
    """The sum of x*x in float64."""
    return float(np.sum(np.square(x, dtype=np.float64)))
