"""The layers by their class's name, and layers as plain values: {"class": "Dense", "config": {...}}."""

from __future__ import annotations

from typing import Any

from nnlite.layers.layer import Layer

REGISTRY: dict[str, type[Layer]] = {}
"""Class name -> class, filled by nnlite.layers; a file can name no other class."""


def described(layer: Layer) -> dict[str, Any]:
    """Return a layer's class and arguments as plain values."""
    return {"class": type(layer).__name__, "config": layer.get_config()}


def layer_from(description: dict[str, Any]) -> Layer:
    """Make a layer that was described so, unbuilt. Raises ValueError for an unknown class."""
    kind = description["class"]
    if kind not in REGISTRY:
        raise ValueError(f"unknown layer class {kind!r}; there are {', '.join(sorted(REGISTRY))}")
    return REGISTRY[kind](**description["config"])
