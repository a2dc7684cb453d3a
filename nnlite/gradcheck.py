"""The numerical gradient check: is `backward` the derivative of `forward`?

    errors = gradient_errors(model, x)          # {"params": 3e-10, "x": 1e-10}
    errors = layer_errors(Dense(4), (3, 5))     # the same for one layer

For a random direction u in output space, L = sum(u * y) has the gradient that backward(u) claims. It is compared with
central differences of L. Only float64 can tell a wrong gradient from rounding: a float32 model is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnlite.layer import Layer
from nnlite.models import Sequential

Array = np.ndarray[Any, np.dtype[Any]]


def numerical_gradient(f: Callable[[], float], x: Array, step: float = 1e-5) -> Array:
    """df/dx by fourth-order central differences, changing x (float64) in place and putting it back.

    (8 (f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / 12h, so that the error is O(h^4) and rounding, not truncation, limits it.
    """
    if x.dtype != np.float64:
        raise ValueError(f"a numerical gradient needs float64, not {x.dtype}")
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        kept = x[index]
        h = step * max(1.0, abs(kept))
        values = []
        for offset in (h, -h, 2 * h, -2 * h):
            x[index] = kept + offset
            values.append(f())
        x[index] = kept
        gradient[index] = (8 * (values[0] - values[1]) - (values[2] - values[3])) / (12 * h)
    return gradient


def relative_error(claimed: Array, measured: Array) -> float:
    """max |claimed - measured| / max(1, max |claimed|, max |measured|), 0 for empty arrays."""
    if claimed.shape != measured.shape:
        raise ValueError(f"gradients of shapes {claimed.shape} and {measured.shape} cannot be compared")
    if claimed.size == 0:
        return 0.0
    scale = max(1.0, float(np.abs(claimed).max()), float(np.abs(measured).max()))
    return float(np.abs(claimed - measured).max()) / scale


def gradient_errors(model: Sequential, x: Array, seed: int = 0, step: float = 1e-5) -> dict[str, float]:
    """Relative errors of the model's parameter gradients and of dL/dx.

    model     built, float64; left with the weights it had. Regularizers count; Dropout draws the same mask in every pass.
    x         (N, ...) float64; keep it away from kinks (a relu at exactly 0 has no derivative)

    Returns {"params": error, "x": error}.
    """
    if model.dtype != np.float64:
        raise ValueError("only a float64 model can be checked: Sequential(..., dtype='float64')")
    x = np.array(x, np.float64)
    generators = [layer.rng.bit_generator for layer in model.layers if hasattr(layer, "rng")]
    state, drawn = model.state.copy(), [generator.state for generator in generators]
    y = model.forward(x)
    u = np.random.default_rng(seed).standard_normal(y.shape)
    dx = model.backward(u, need_dx=True)
    claimed = {"params": model.grads.copy(), "x": np.array(dx)}

    def rewind() -> None:
        model.state[...] = state
        for generator, before in zip(generators, drawn):
            generator.state = before

    def objective() -> float:
        rewind()
        return float(np.sum(u * model.forward(x))) + model.penalty()

    measured = {
        "params": numerical_gradient(objective, model.params, step),
        "x": numerical_gradient(objective, x, step),
    }
    rewind()
    return {name: relative_error(claimed[name], measured[name]) for name in claimed}


def layer_errors(layer: Layer, shape: tuple[int, ...], seed: int = 0, step: float = 1e-5) -> dict[str, float]:
    """gradient_errors of a model of this one layer, for a normal input of `shape` (N, ...)."""
    model = Sequential([layer], seed=seed, dtype="float64").build(shape[1:])
    x = np.random.default_rng(seed + 1).standard_normal(shape)
    return gradient_errors(model, x, seed, step)


def loss_error(loss: Callable[[Array, Array], tuple[float, Array]], prediction: Array, target: Array, step: float = 1e-5) -> float:
    """Relative error of a loss function's dprediction."""
    prediction = np.array(prediction, np.float64)
    claimed = loss(prediction, target)[1].copy()
    return relative_error(claimed, numerical_gradient(lambda: loss(prediction, target)[0], prediction, step))
