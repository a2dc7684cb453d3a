"""Models and data that several test files use: images (6, 6, 2) in three classes."""

import numpy as np

from nnlite import Sequential, layers, losses

PAIRWISE = [losses.mean_squared_error, losses.mean_absolute_error, losses.huber]
PAIRWISE += [losses.categorical_crossentropy, losses.categorical_crossentropy_from_logits]
PAIRWISE += [losses.binary_crossentropy, losses.binary_crossentropy_from_logits]


def everything(seed=0, rate=0.2, **arguments):
    """A model with every kind of layer that has weights, state or a generator; it runs layer by layer."""
    more = {"padding": "same", "activation": "relu", "kernel_regularizer": "l2"}
    stack = [
        layers.Conv2D(4, 3, input_shape=(6, 6, 2), **more),
        layers.MaxPooling2D(),
        layers.BatchNormalization(),
        layers.Dropout(rate),
        layers.Flatten(),
        layers.Dense(5, "tanh", kernel_regularizer="l1"),
        layers.Dense(3, "softmax"),
    ]
    return Sequential(stack, seed=seed, **arguments).build()


def small(seed=0, **arguments):
    """A chain of Dense layers that runs in compiled passes."""
    stack = [
        layers.Flatten(input_shape=(6, 6, 2)),
        layers.Dense(9, "relu", kernel_regularizer="l2"),
        layers.Dense(3, "softmax"),
    ]
    return Sequential(stack, seed=seed, **arguments).build()


def data(n=20, seed=0):
    """x (n, 6, 6, 2) and one-hot y (n, 3), float32."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 6, 6, 2)).astype(np.float32)
    return x, np.eye(3, dtype=np.float32)[rng.integers(3, size=n)]
