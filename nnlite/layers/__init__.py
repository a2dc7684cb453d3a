"""The layers. N is the batch, D and M features, H W C an image, F filters, K a kernel side.

Each class states its equation. Each line of a backward pass states the derivative it computes and its shape.
"""

from __future__ import annotations

from typing import Any

from nnlite.layers.activated import ActivatedLayer
from nnlite.layers.activation import Activation, LeakyReLU
from nnlite.layers.conv2d import Conv2D
from nnlite.layers.dense import Dense
from nnlite.layers.dropout import Dropout
from nnlite.layers.input import Input
from nnlite.layers.layer import Layer
from nnlite.layers.normalization import BatchNormalization, LayerNormalization
from nnlite.layers.pooling import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D
from nnlite.layers.registry import REGISTRY
from nnlite.layers.rescaling import Rescaling
from nnlite.layers.residual import Residual
from nnlite.layers.shapes import Flatten, Reshape, ZeroPadding2D
from nnlite.utils import missing_name

__all__ = [
    "REGISTRY",
    "Activation",
    "ActivatedLayer",
    "AveragePooling2D",
    "BatchNormalization",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAveragePooling2D",
    "Input",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "MaxPooling2D",
    "Rescaling",
    "Reshape",
    "Residual",
    "ZeroPadding2D",
]

_WEIGHTED = (Dense, Conv2D, BatchNormalization, LayerNormalization, Residual)
_ELEMENTS = (Activation, LeakyReLU, Dropout, Rescaling)
_SHAPES = (Flatten, Reshape, ZeroPadding2D, MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D)
REGISTRY.update({cls.__name__: cls for cls in (*_WEIGHTED, *_ELEMENTS, *_SHAPES)})


def __getattr__(name: str) -> Any:
    raise missing_name("nnlite.layers", name, [*REGISTRY, "Input"])
