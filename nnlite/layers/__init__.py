"""The layers. N is the batch, D and M features, H W C an image, F filters, K a kernel side.

Each class states its equation. Each line of a backward pass states the derivative it computes and its shape.
"""

from __future__ import annotations

from typing import Any

from nnlite.layers.activated import ActivatedLayer
from nnlite.layers.activation import Activation
from nnlite.layers.conv2d import Conv2D
from nnlite.layers.dense import Dense
from nnlite.layers.dropout import Dropout
from nnlite.layers.layer import Layer
from nnlite.layers.normalization import BatchNormalization
from nnlite.layers.pooling import MaxPooling2D
from nnlite.layers.rescaling import Rescaling
from nnlite.layers.shapes import Flatten
from nnlite.utils import missing_name

__all__ = [
    "REGISTRY",
    "Activation",
    "ActivatedLayer",
    "BatchNormalization",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "Layer",
    "MaxPooling2D",
    "Rescaling",
]

REGISTRY: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (Dense, Conv2D, Activation, Flatten, Rescaling, BatchNormalization, Dropout, MaxPooling2D)
}


def __getattr__(name: str) -> Any:
    raise missing_name("nnlite.layers", name, REGISTRY)
