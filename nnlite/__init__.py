"""nnlite: a small neural-network library with Keras's names, on NumPy and compiled kernels.

    import nnlite as K

    model = K.Sequential([K.layers.Dense(4, activation="relu", input_shape=(2,)), K.layers.Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    model.fit(x, y, epochs=8)

Every backward pass is written out; `nnlite.gradcheck` compares it with finite differences.
"""

from typing import Any

from nnlite import (
    activations,
    callbacks,
    gradcheck,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    saving,
    utils,
)
from nnlite.layers import Input
from nnlite.models import Sequential, clone_model, load_model

__version__ = "0.1.0"
__all__ = [
    "Input",
    "Sequential",
    "activations",
    "callbacks",
    "clone_model",
    "gradcheck",
    "initializers",
    "layers",
    "load_model",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "regularizers",
    "saving",
    "utils",
]


def __getattr__(name: str) -> Any:
    raise utils.missing_name("nnlite", name, __all__)
