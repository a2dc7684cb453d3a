"""Random networks with random data; the same seed and number give the same case in any dtype."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from nnlite_ext import _threads
from nnlite_ext._network import CompiledNetwork

from nnlite import Sequential, layers
from nnlite.arrays import Array
from nnlite.convolution import PATHS

Generator = np.random.Generator
COMPILED = ["linear", "relu", "sigmoid", "tanh", "softplus", "softmax"]
ACTIVATIONS = ["leaky_relu", "elu", "silu", "gelu", *COMPILED]
WAYS = ["compiled", "direct", "patches"]
LAST = {  # the activations that a loss makes sense with
    "mse": COMPILED,
    "huber": COMPILED,
    "categorical_crossentropy": ["softmax", "sigmoid", "softplus"],
    "binary_crossentropy": ["sigmoid", "softmax"],
}
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"name": "sgd"},
    "momentum": {"name": "sgd", "momentum": 0.9},
    "nesterov": {"name": "sgd", "momentum": 0.8, "nesterov": True},
    "adam": {"name": "adam"},
    "adamw": {"name": "adamw", "weight_decay": 0.1},
    "rmsprop": {"name": "rmsprop", "momentum": 0.5},
    "centered": {"name": "rmsprop", "rho": 0.8, "centered": True},
}
CLIPPINGS: list[dict[str, float]] = [{}, {"clipvalue": 0.02}, {"clipnorm": 0.1}, {"global_clipnorm": 0.1}]
STEPS = 10


@dataclass
class Case:
    """A compiled model, ten batches for it, and what was chosen, to be counted."""

    model: Sequential
    x: list[Array]
    y: list[Array]
    loss: str
    optimizer: dict[str, Any]
    chosen: dict[str, str]


def random_case(seed: int, number: int, dtype: str) -> Case:
    """Case `number` of this seed; sets the kernels' target, which the case's passes are to use."""
    rng = np.random.default_rng([seed, number])
    loss = str(rng.choice(list(LAST)))
    shape, chain, bytes_read = random_layers(rng, loss)
    way = WAYS[int(rng.choice(3, p=[0.5, 0.25, 0.25]))]
    passes = "compiled" if way == "compiled" else "layers"
    model = Sequential(chain, seed=rng, dtype=dtype, passes=passes).build(shape)
    scramble(model, rng)
    target = _threads.targets()[number % len(_threads.targets())]
    _threads.set_target(target)
    way = go(model, way)
    name, clipping = str(rng.choice(list(OPTIMIZERS))), CLIPPINGS[rng.integers(4)]
    optimizer = {**OPTIMIZERS[name], "learning_rate": float(rng.choice([0.01, 0.001])), **clipping}
    model.compile(optimizer, loss)
    x, y = random_data(rng, model, loss, bytes_read)
    chosen = {"way": way, "target": target, "optimizer": name, "loss": loss}
    chosen["clipping"] = next(iter(clipping), "none")
    return Case(model, x, y, loss, optimizer, chosen)


def random_layers(rng: Generator, loss: str) -> tuple[tuple[int, ...], list[layers.Layer], bool]:
    """(input shape, layers, whether they read bytes)."""
    plain = rng.random() < 0.4  # nothing that keeps a small network out of the compiled passes
    image, bytes_read = rng.random() < 0.65, False
    if image:
        shape = (*(int(n) for n in rng.integers(2, 14, 2)), int(rng.integers(1, 5)))
        chain, bytes_read = image_layers(rng, shape, plain)
    else:
        flat = rng.random() < 0.7
        shape = (int(rng.integers(1, 40)),) if flat else (int(rng.integers(1, 5)), int(rng.integers(1, 6)))
        chain = between(rng, 1) if not plain else []
        chain += [] if len(shape) == 1 else [layers.Flatten()]
    for _ in range(rng.integers(0, 3)):
        chain.append(layers.Dense(units(rng), **weighted(rng, COMPILED if plain else ACTIVATIONS)))
        chain += [] if plain else between(rng, 1)
    last = layers.Dense(int(rng.integers(2, 8)), **weighted(rng, LAST[loss]))
    chain.append(last)
    if rng.random() < 0.15 and last.activation.name == "linear":
        chain.append(layers.Activation(str(rng.choice(LAST[loss]))))
    return shape, chain, bytes_read


def image_layers(rng: Generator, shape: tuple[int, ...], plain: bool) -> tuple[list[layers.Layer], bool]:
    """Convolutions, pooling and what stands between, up to Flatten."""
    chain: list[layers.Layer] = []
    bytes_read = not plain and rng.random() < 0.2
    if bytes_read:
        chain.append(layers.Rescaling(1 / 255, float(rng.choice([0.0, -0.5]))))
    size = shape[:2]
    for _ in range(rng.integers(1, 3 if plain else 4)):
        kernel, window = random_window(rng, size)
        names = COMPILED[:-1] if plain else ACTIVATIONS
        filters = int(rng.choice([1, 2, 3, 4, 5, 8, 9, 16, 33][: 6 if plain else None]))
        chain.append(layers.Conv2D(filters, kernel, **window, **weighted(rng, names)))
        size = out_size(size, kernel, window)
        if not plain and rng.random() < 0.3:
            chain.append(residual(rng, filters))
        if not plain and rng.random() < 0.4:
            kernel, window = random_window(rng, size)
            pooling = layers.MaxPooling2D if rng.random() < 0.5 else layers.AveragePooling2D
            chain.append(pooling(kernel, **window))
            size = out_size(size, kernel, window)
        if not plain and rng.random() < 0.2:
            (top, bottom), (left, right) = ends = rng.integers(0, 3, (2, 2)).tolist()
            chain.append(layers.ZeroPadding2D(ends))
            size = size[0] + top + bottom, size[1] + left + right
        chain += [] if plain else between(rng, 3)
    flat = [layers.Flatten(), layers.Reshape((-1,)), layers.GlobalAveragePooling2D()]
    return [*chain, flat[0 if plain else int(rng.integers(3))]], bytes_read


def residual(rng: Generator, filters: int) -> layers.Layer:
    """A block of a convolution and what may stand between, in a block of its own."""
    conv = layers.Conv2D(filters, 3, padding="same", **weighted(rng, ACTIVATIONS))
    keeps = [layers.BatchNormalization(), layers.LeakyReLU(), layers.Activation("gelu")]
    return layers.Residual([conv, layers.Residual([keeps[int(rng.integers(3))]])])


def between(rng: Generator, axes: int) -> list[layers.Layer]:
    """Nothing, a normalization, an activation, or (on images) a dense layer over the channels."""
    kinds = {"none": 0.3, "normalise": 0.25, "layer": 0.15, "activation": 0.1, "leaky": 0.1, "dense": 0.1}
    kind = rng.choice(list(kinds), p=list(kinds.values()))
    if kind == "normalise":
        flags = {"center": bool(rng.random() < 0.8), "scale": bool(rng.random() < 0.8)}
        numbers = float(rng.choice([0.99, 0.9])), float(rng.choice([1e-3, 1e-2]))
        return [layers.BatchNormalization(*numbers, **flags)]
    if kind == "layer":
        axis = [1, -1] if axes == 3 and rng.random() < 0.3 else -1
        return [layers.LayerNormalization(axis, scale=bool(rng.random() < 0.8))]
    if kind == "leaky":
        return [layers.LeakyReLU(float(rng.choice([0.3, 0.0, 1.5])))]
    if kind == "activation":
        return [layers.Activation(str(rng.choice(ACTIVATIONS)))]
    return [layers.Dense(units(rng), **weighted(rng, ACTIVATIONS))] if kind == "dense" and axes == 3 else []


def units(rng: Generator) -> int:
    return int(rng.integers(1, 20)) if rng.random() < 0.8 else int(rng.integers(20, 140))


def random_window(rng: Generator, size: tuple[int, ...]) -> tuple[tuple[int, int], dict[str, Any]]:
    """(kernel, strides and padding) of a convolution or pooling over an image (H, W)."""
    padding = str(rng.choice(["same", "valid"]))
    kernel = tuple(int(k) for k in rng.integers(1, 6, 2))
    if padding == "valid":
        kernel = min(kernel[0], size[0]), min(kernel[1], size[1])
    strides = tuple(int(s) for s in rng.integers(1, 5, 2))
    return (kernel[0], kernel[1]), {"strides": strides, "padding": padding}


def out_size(size: tuple[int, ...], kernel: tuple[int, int], window: dict[str, Any]) -> tuple[int, ...]:
    strides = window["strides"]
    if window["padding"] == "same":
        return tuple(-(-n // s) for n, s in zip(size, strides))
    return tuple((n - k) // s + 1 for n, k, s in zip(size, kernel, strides))


def weighted(rng: Generator, activations: list[str]) -> dict[str, Any]:
    """Arguments that Dense and Conv2D share."""
    both = {"name": "l1_l2", "l1": 0.002, "l2": 0.01}
    penalties = [None, None, None, {"name": "l1", "l1": 0.003}, {"name": "l2", "l2": 0.02}, both]
    return {
        "activation": str(rng.choice(activations)),
        "use_bias": bool(rng.random() < 0.8),
        "kernel_regularizer": penalties[rng.integers(len(penalties))],
        "bias_regularizer": penalties[rng.integers(len(penalties))],
    }


def scramble(model: Sequential, rng: Generator) -> None:
    """No weight is left at 0 or 1, where terms vanish and kinks lie; moving variances stay positive."""
    for layer in model.layers:
        for weight in layer.weights:
            if "kernel" not in weight.name:
                noise = rng.uniform(-0.4, 0.4, weight.shape)
                weight.value[...] = 1 + noise if weight.name.endswith(("gamma", "moving_variance")) else noise


def go(model: Sequential, way: str) -> str:
    """Make the model compute this way where it can; returns the way it goes."""
    if isinstance(model._passes, CompiledNetwork):
        return way
    path = "direct" if way == "compiled" else way
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            layer.path = PATHS[path](layer.geometry, layer.filters, layer.buffer)
    return path


def random_data(
    rng: Generator, model: Sequential, loss: str, bytes_read: bool
) -> tuple[list[Array], list[Array]]:
    """STEPS + 1 batches of one size: inputs in the model's dtype or bytes, targets that fit the loss."""
    rows = int(rng.choice([2, 3, 5, 8, 17, 32], p=[0.2, 0.2, 0.2, 0.2, 0.1, 0.1]))
    shape, width = (rows, *model.input_shape), model.output_shape[-1]
    x, y = [], []
    for _ in range(STEPS + 1):
        if bytes_read:
            x.append(rng.integers(0, 256, shape, np.uint8))
        else:
            x.append(rng.normal(0, 1, shape).astype(model.dtype))
        if loss in ("mse", "huber"):
            target = rng.normal(0, 1.5, (rows, width))
        elif loss == "binary_crossentropy":
            target = rng.integers(0, 2, (rows, width)).astype(np.float64)
        elif rng.random() < 0.5:
            target = np.eye(width)[rng.integers(width, size=rows)]
        else:
            target = rng.dirichlet(np.ones(width), rows)
        y.append(target.astype(model.dtype))
    return x, y
