"""Layers that change the shape, not the numbers: Flatten, Reshape, ZeroPadding2D."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnlite.arrays import Array
from nnlite.attributes import argument
from nnlite.layers.layer import Layer
from nnlite.utils import is_whole
from nnlite.weights import Shape


class Flatten(Layer):
    """(N, ...) -> (N, D): the same numbers, one row for each example."""

    def build(self, input_shape: Shape) -> Shape:
        return (math.prod(input_shape),)

    def forward(self, x: Array, training: bool = False) -> Array:
        if training:
            self._keep(x.shape)
        return x.reshape(len(x), -1)

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        (shape,) = self._take_cache()
        return dy.reshape(shape)


class Reshape(Layer):
    """(N, ...) -> (N, *target_shape): the same numbers in the same order.

    target_shape  without the batch axis; one size may be -1, which stands for what is left
    """

    target_shape: Shape = argument()

    def __init__(self, target_shape: Any, **common: Any) -> None:
        super().__init__(**common)
        sizes = (target_shape,) if is_whole(target_shape) else target_shape
        listed = isinstance(sizes, (tuple, list)) and len(sizes) > 0
        if not listed or not all(is_whole(n) and (n >= 1 or n == -1) for n in sizes) or sizes.count(-1) > 1:
            raise ValueError(
                f"target_shape must hold whole numbers >= 1, one of which may be -1, not {target_shape!r}"
            )
        self.target_shape = tuple(int(n) for n in sizes)

    def build(self, input_shape: Shape) -> Shape:
        size, known = math.prod(input_shape), abs(math.prod(self.target_shape))
        shape = tuple(size // known if n == -1 else n for n in self.target_shape)
        if math.prod(shape) != size:
            raise ValueError(f"{self.name} cannot turn {input_shape} into {self.target_shape}")
        return shape

    def forward(self, x: Array, training: bool = False) -> Array:
        if training:
            self._keep(x.shape)
        return x.reshape(len(x), *(self.output_shape or ()))

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        (shape,) = self._take_cache()
        return dy.reshape(shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": list(self.target_shape)}


class ZeroPadding2D(Layer):
    """Zeros around an image: (N, H, W, C) -> (N, top + H + bottom, left + W + right, C).

    padding  n on every side; (rows, columns), above and below, left and right; or
             ((top, bottom), (left, right))
    """

    padding: tuple[tuple[int, int], tuple[int, int]] = argument()

    def __init__(self, padding: Any = (1, 1), **common: Any) -> None:
        super().__init__(**common)
        two = (padding, padding) if is_whole(padding) else padding
        if not isinstance(two, (tuple, list)) or len(two) != 2:
            raise ValueError(self._wanted(padding))
        rows, columns = ((n, n) if is_whole(n) else n for n in two)
        for ends in (rows, columns):
            listed = isinstance(ends, (tuple, list)) and len(ends) == 2
            if not listed or not all(is_whole(n) and n >= 0 for n in ends):
                raise ValueError(self._wanted(padding))
        self.padding = (int(rows[0]), int(rows[1])), (int(columns[0]), int(columns[1]))

    @staticmethod
    def _wanted(padding: object) -> str:
        return f"padding must be n, (rows, columns) or ((top, bottom), (left, right)), not {padding!r}"

    def build(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 3:
            raise ValueError(
                f"{self.name} needs an input of shape (height, width, channels), not {input_shape}"
            )
        height, width, channels = input_shape
        return height + sum(self.padding[0]), width + sum(self.padding[1]), channels

    def forward(self, x: Array, training: bool = False) -> Array:
        # a new buffer is zero, and nothing is ever written into the margin
        y = self.buffer("y" if training else "p", (len(x), *(self.output_shape or ())))
        self._inside(y)[...] = x
        if training:
            self._keep()
        return y

    def backward(self, dy: Array, need_dx: bool = True) -> Array | None:
        self._take_cache()
        return np.ascontiguousarray(self._inside(dy)) if need_dx else None

    def _inside(self, padded: Array) -> Array:
        """Return the view (N, H, W, C) of the image in its margin."""
        (top, bottom), (left, right) = self.padding
        _, height, width, _ = padded.shape
        return padded[:, top : height - bottom, left : width - right]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": [list(ends) for ends in self.padding]}
