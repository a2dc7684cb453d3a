"""The numerical gradient check: is `backward` the derivative of `forward`?

    errors = gradient_errors(model, x)          # {"params": 3e-10, "x": 1e-10}
    errors = layer_errors(Dense(4), (3, 5))     # the same for one layer

For a random u of the output's shape, backward(u) claims the gradient of L = sum(u * y). The check compares it
with central differences of L. The model must be float64: only there does a wrong gradient differ from
rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable

import numpy as np

from nnlite.arrays import Array
from nnlite.layers import ActivatedLayer, Layer, LeakyReLU, MaxPooling2D, Residual
from nnlite.network import Network


def numerical_gradient(f: Callable[[], float], x: Array, step: float = 1e-5) -> Array:
    """Measure df/dx by fourth-order central differences. x (float64) is changed in place and restored.

    (8 (f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / 12h has an error of O(h^4): rounding limits it, not
    truncation.
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
    """Return max |claimed - measured| / max(1, max |claimed|, max |measured|), 0 for empty arrays."""
    if claimed.shape != measured.shape:
        raise ValueError(f"gradients of shapes {claimed.shape} and {measured.shape} cannot be compared")
    if claimed.size == 0:
        return 0.0
    scale = max(1.0, float(np.abs(claimed).max()), float(np.abs(measured).max()))
    return float(np.abs(claimed - measured).max()) / scale


class _Snapshot:
    """The side effects of a training pass, to be undone: moving statistics and Dropout's generators."""

    def __init__(self, model: Network) -> None:
        self.model, self.state = model, model.state.copy()
        self.generators = [layer.rng.bit_generator for layer in model.walk() if hasattr(layer, "rng")]
        self.drawn = [generator.state for generator in self.generators]

    def rewind(self) -> None:
        self.model.state[...] = self.state
        for generator, drawn in zip(self.generators, self.drawn):
            generator.state = drawn


def gradient_errors(model: Network, x: Array, seed: int = 0, step: float = 1e-5) -> dict[str, float]:
    """Return the relative errors {"params": error, "x": error} of the parameters' gradients and of dL/dx.

    model  built, float64; its weights are unchanged afterwards
    x      (N, ...) float64, away from kinks (a relu at exactly 0 has no derivative); see smooth_input

    Regularizers are part of L. Dropout uses one mask for all passes. Weights of layers that are not trainable
    have no gradient, so they are left out.
    """
    if model.dtype != np.float64:
        raise ValueError("only a float64 model can be checked: Sequential(..., dtype='float64')")
    x = np.array(x, np.float64)
    before = _Snapshot(model)
    y = model.forward(x)
    u = np.asarray(np.random.default_rng(seed).standard_normal(y.shape))
    dx = np.array(model.backward(u.copy(), need_dx=True))  # a backward that overwrites dy must not pass
    claimed = {"params": model.grads.copy(), "x": dx}

    def objective() -> float:
        before.rewind()
        return float(np.sum(u * model.forward(x))) + model.penalty()

    measured = {
        "params": numerical_gradient(objective, model.params, step),
        "x": numerical_gradient(objective, x, step),
    }
    before.rewind()
    for place in model.variables.frozen:
        measured["params"][place] = 0
    return {name: relative_error(claimed[name], measured[name]) for name in claimed}


def directional_errors(model: Network, x: Array, seed: int = 0, step: float = 1e-3) -> dict[str, float]:
    """Return errors as gradient_errors, along one random direction each; for large models.

    The claim is d/dt L(w + t v) = gradient . v for a unit vector v. Errors are relative to the slope of a
    right gradient along a typical v, |gradient| / sqrt(size). The step is long, so the model must be smooth:
    no relu, no pooling.
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
    """Measure df/dt at t = 0 of f with the array values + t v; restore the array."""
    kept, t = values.copy(), np.zeros(1)

    def along() -> float:
        values[...] = kept + t[0] * v
        return f()

    slope = float(numerical_gradient(along, t, step)[0])
    values[...] = kept
    return slope


def smooth_input(model: Network, n: int, seed: int = 0, margin: float = 1e-3) -> Array:
    """Draw a normal input (n, ...) that keeps every relu and pooling at least `margin` away from its kink.

    Raises ValueError after a hundred draws without success.
    """
    rng = np.random.default_rng(seed)
    for _ in range(100):
        x = rng.standard_normal((n, *model.build().input_shape))
        if kink_distance(model, x) >= margin:
            return x
    raise ValueError(f"no input found that is {margin} away from every kink; try a smaller margin")


def kink_distance(model: Network, x: Array) -> float:
    """Return the smallest distance of x (N, ...) from a kink.

    This is |z| for a relu, its leaky kind and an elu, and the largest number minus the next for a pooling.
    Exact zeros do not count: they come from a silent relu or from Dropout, and stay 0 when x moves a little.
    """
    before, smallest = _Snapshot(model), np.inf
    for gaps in _gaps(model.layers, x, before):
        smallest = min(smallest, gaps[gaps > 0].min(initial=np.inf))
    before.rewind()
    return float(smallest)


def _gaps(layers: Iterable[Layer], x: Array, before: _Snapshot) -> Generator[Array, None, Array]:
    """Yield each layer's distances from its kinks, for an x (N, ...) that the first reads; return y."""
    for layer in layers:
        if isinstance(layer, Residual):
            x = x + (yield from _gaps(layer.layers, x, before))
            continue
        if isinstance(layer, MaxPooling2D):
            ordered = np.sort(layer.windows_of(x), axis=0)
            if len(ordered) > 1:
                yield ordered[-1] - ordered[-2]
        if isinstance(layer, LeakyReLU):
            yield np.abs(x)
        if isinstance(layer, ActivatedLayer) and layer.activation.has_kink:
            yield np.abs(layer.forward(x, training=True, activate=False))
            before.rewind()
        x = layer.forward(x, training=True)
    return x


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
    """Draw every trainable weight again, biases too, at least 0.05 away from 0, where L1 has its kink."""
    w = np.random.default_rng(seed).normal(0.0, 0.5, model.build().params.shape)
    model.params[...] = w + np.copysign(0.05, w)


def loss_error(
    loss: Callable[[Array, Array], tuple[float, Array]], prediction: Array, target: Array, step: float = 1e-5
) -> float:
    """Return the relative error of a loss function's dprediction."""
    prediction = np.array(prediction, np.float64)
    claimed = loss(prediction, target)[1].copy()
    return relative_error(claimed, numerical_gradient(lambda: loss(prediction, target)[0], prediction, step))
