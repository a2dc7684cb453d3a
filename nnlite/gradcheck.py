"""The numerical gradient check: is `backward` the derivative of `forward`?

    errors = gradient_errors(model, x)          # {"params": 3e-10, "x": 1e-10}
    errors = layer_errors(Dense(4), (3, 5))     # the same for one layer

For a random direction u in output space, L = sum(u * y) has the gradient that backward(u) claims. It is
compared with central differences of L. Only float64 can tell a wrong gradient from rounding: a float32 model
is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nnlite.arrays import Array
from nnlite.layer import ActivatedLayer, Layer
from nnlite.network import Network
from nnlite.pooling import MaxPooling2D


def numerical_gradient(f: Callable[[], float], x: Array, step: float = 1e-5) -> Array:
    """df/dx by fourth-order central differences, changing x (float64) in place and putting it back.

    (8 (f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / 12h: the error is O(h^4), so that rounding, not truncation,
    limits it.
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


class _Snapshot:
    """What a training pass changes besides its result: moving statistics and the generators of Dropout."""

    def __init__(self, model: Network) -> None:
        self.model, self.state = model, model.state.copy()
        self.generators = [layer.rng.bit_generator for layer in model.layers if hasattr(layer, "rng")]
        self.drawn = [generator.state for generator in self.generators]

    def rewind(self) -> None:
        self.model.state[...] = self.state
        for generator, drawn in zip(self.generators, self.drawn):
            generator.state = drawn


def gradient_errors(model: Network, x: Array, seed: int = 0, step: float = 1e-5) -> dict[str, float]:
    """Relative errors of the model's parameter gradients and of dL/dx.

    model     built, float64; left with the weights it had. Regularizers count; Dropout draws one mask for all
              passes.
    x         (N, ...) float64; keep it away from kinks (a relu at exactly 0 has no derivative): smooth_input
              does

    Returns {"params": error, "x": error}.
    """
    if model.dtype != np.float64:
        raise ValueError("only a float64 model can be checked: Sequential(..., dtype='float64')")
    x = np.array(x, np.float64)
    before = _Snapshot(model)
    y = model.forward(x)
    u = np.asarray(np.random.default_rng(seed).standard_normal(y.shape))
    dx = np.array(
        model.backward(u.copy(), need_dx=True)
    )  # a copy: a backward that spoils it must not spoil the check
    claimed = {"params": model.grads.copy(), "x": dx}

    def objective() -> float:
        before.rewind()
        return float(np.sum(u * model.forward(x))) + model.penalty()

    measured = {
        "params": numerical_gradient(objective, model.params, step),
        "x": numerical_gradient(objective, x, step),
    }
    before.rewind()
    return {name: relative_error(claimed[name], measured[name]) for name in claimed}


def directional_errors(model: Network, x: Array, seed: int = 0, step: float = 1e-3) -> dict[str, float]:
    """As gradient_errors, along one random direction each: for models too large to change number by number.

    The claim is d/dt L(w + t v) = gradient . v for a unit vector v; errors are relative to what a right
    gradient gives along a typical v, |gradient| / sqrt(size). The step is long, so that the model must be
    smooth: no relu, no pooling.
    """
    if model.dtype != np.float64:
        raise ValueError("only a float64 model can be checked: Sequential(..., dtype='float64')")
    rng, before = np.random.default_rng(seed), _Snapshot(model)
    x = np.array(x, np.float64)
    u = np.asarray(rng.standard_normal(model.forward(x).shape))
    dx = np.array(model.backward(u.copy(), need_dx=True))

    def objective() -> float:
        before.rewind()
        return float(np.sum(u * model.forward(x))) + model.penalty()

    errors = {}
    for name, values, gradient in (("params", model.params, model.grads.copy()), ("x", x, dx)):
        v = rng.standard_normal(values.shape)
        v /= np.linalg.norm(v)
        measured = _slope(objective, values, v, step)
        claimed = float(np.sum(gradient * v))
        typical = float(np.linalg.norm(gradient)) / math.sqrt(gradient.size)
        errors[name] = abs(claimed - measured) / max(abs(claimed), abs(measured), typical)
    before.rewind()
    return errors


def _slope(f: Callable[[], float], values: Array, v: Array, step: float) -> float:
    """df/dt at t = 0 when the array is values + t v; it is put back."""
    kept, t = values.copy(), np.zeros(1)

    def along() -> float:
        values[...] = kept + t[0] * v
        return f()

    slope = float(numerical_gradient(along, t, step)[0])
    values[...] = kept
    return slope


def smooth_input(model: Network, n: int, seed: int = 0, margin: float = 1e-3) -> Array:
    """A normal input (n, ...) at which every relu and every pooling is at least `margin` away from its kink.

    Raises ValueError when a hundred draws give none.
    """
    rng = np.random.default_rng(seed)
    for _ in range(100):
        x = rng.standard_normal((n, *model.build().input_shape))
        if kink_distance(model, x) >= margin:
            return x
    raise ValueError(f"no input found that is {margin} away from every kink; try a smaller margin")


def kink_distance(model: Network, x: Array) -> float:
    """Smallest distance of a relu's argument from 0, and of a pooling's largest number from the next one.

    Exact zeros do not count: they come from a silent relu or from Dropout, and stay 0 when x moves a little.
    """
    before, smallest = _Snapshot(model), np.inf
    for layer in model.layers:
        gaps = np.zeros(0)
        if isinstance(layer, MaxPooling2D):
            ordered = np.sort(layer.windows_of(x), axis=0)
            gaps = ordered[-1] - ordered[-2] if len(ordered) > 1 else gaps
        if isinstance(layer, ActivatedLayer) and layer.activation.name == "relu":
            gaps = np.abs(layer.forward(x, training=True, activate=False))
            before.rewind()
        smallest = min(smallest, gaps[gaps > 0].min(initial=np.inf))
        x = layer.forward(x, training=True)
    before.rewind()
    return float(smallest)


def layer_errors(
    layer: Layer, shape: tuple[int, ...], seed: int = 0, step: float = 1e-5, passes: str = "compiled"
) -> dict[str, float]:
    """Check one layer: gradient_errors of a network of it alone.

    shape   (N, ...) of the input, which is drawn normal, as are the weights
    passes  of the network: "compiled", where they exist, or "layers"
    """
    model = Network([layer], seed=seed, dtype="float64", passes=passes).build(shape[1:])
    scramble(model, seed)
    return gradient_errors(model, smooth_input(model, shape[0], seed + 1), seed, step)


def scramble(model: Network, seed: int = 0) -> None:
    """Draw every trainable weight anew, biases too, at least 0.05 away from 0, where L1 has its kink."""
    w = np.random.default_rng(seed).normal(0.0, 0.5, model.build().params.shape)
    model.params[...] = w + np.copysign(0.05, w)


def loss_error(
    loss: Callable[[Array, Array], tuple[float, Array]], prediction: Array, target: Array, step: float = 1e-5
) -> float:
    """Relative error of a loss function's dprediction."""
    prediction = np.array(prediction, np.float64)
    claimed = loss(prediction, target)[1].copy()
    return relative_error(claimed, numerical_gradient(lambda: loss(prediction, target)[0], prediction, step))
