"""The layers by their class's name, and layers as plain values: {"class": "Dense", "config": {...}}."""

from __future__ import annotations

from typing import Any

from nnlite.layers.layer import Layer
from nnlite.names import collect, find, is_nnlites, own_name, unknown

REGISTRY: dict[str, type[Layer]] = {}
"""Class name -> class, filled by nnlite.layers. A file can name these, and what is registered of your own."""


def described(layer: Layer) -> dict[str, Any]:
    """Return a layer's class and arguments as plain values, from which `layer_from` makes an equal one."""
    cls, config = type(layer), layer.get_config()
    collect(layer)
    return {"class": cls.__name__ if is_nnlites(cls) else own_name(cls), "config": config}


def layer_from(description: dict[str, Any]) -> Layer:
    """Make a layer that was described so, unbuilt. Raises ValueError for an unknown class."""
    name = description["class"]
    cls: type[Layer] | None = find(name, Layer) or REGISTRY.get(name)
    if cls is None:
        raise unknown("layer class", name, REGISTRY, Layer)
    return cls(**description["config"])
