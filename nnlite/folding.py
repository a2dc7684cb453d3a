"""Fold BatchNormalization into the layer before it: in prediction both are one affine function.

    fast = fold_batch_normalization(model)
    fast.predict(x)

y = gamma (x W + b - mean) / sqrt(var + epsilon) + beta = x (W s) + ((b - mean) s + beta), where
s = gamma / sqrt(var + epsilon) and mean and var are the moving statistics.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nnlite.activations import Linear
from nnlite.arrays import Array
from nnlite.layers import BatchNormalization, Conv2D, Dense, Layer, Residual
from nnlite.network import Network


def fold_batch_normalization(model: Network) -> Network:
    """Return a new model for prediction, without each BatchNormalization that can be folded.

    It can where it stands directly behind a Conv2D or Dense without an activation, also inside a Residual.
    The others stay. The new model predicts the same, within rounding, and has no regularizers on folded
    layers. It is of the model's class, and not compiled for training.
    """
    model.build()
    folded = _folded(model.layers)
    new = type(model)([layer for layer, _ in folded], model.name, 0, model.dtype, model._wanted_passes).build(
        model.input_shape
    )
    for layer, (_, weights) in zip(new.layers, folded):
        layer.set_weights(weights)
    return new


def _folded(layers: Iterable[Layer]) -> list[tuple[Layer, list[Array]]]:
    """Return new layers, unbuilt, and the weights that they are to have."""
    new: list[tuple[Layer, list[Array]]] = []
    before: Layer | None = None  # the layer that the next one could be folded into
    for layer in layers:
        config = layer.get_config()
        if isinstance(layer, BatchNormalization) and _is_affine(before):
            new[-1] = _affine(before, layer)
            before = None
            continue
        if isinstance(layer, Residual):
            inner = _folded(layer.layers)
            config["layers"] = [one for one, _ in inner]
            weights = [weight for _, several in inner for weight in several]
        else:
            weights = layer.get_weights()
        new.append((type(layer)(**config), weights))
        before = layer
    return new


def _is_affine(layer: Layer | None) -> bool:
    return type(layer) in (Dense, Conv2D) and type(getattr(layer, "activation", None)) is Linear


def _affine(layer: Any, norm: BatchNormalization) -> tuple[Layer, list[Array]]:
    """Return a Dense or Conv2D that computes layer and norm, and its kernel and bias."""
    config = {**layer.get_config(), "use_bias": True, "kernel_regularizer": None, "bias_regularizer": None}
    slope = 1 / np.sqrt(norm.moving_variance.value.astype(np.float64) + norm.epsilon)
    if norm.gamma is not None:
        slope *= norm.gamma.value
    bias = ((0 if layer.b is None else layer.b) - norm.moving_mean.value) * slope
    if norm.beta is not None:
        bias += norm.beta.value
    return type(layer)(**config), [layer.W * slope, bias]
