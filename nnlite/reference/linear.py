"""NumPy twins of nnlite_ext._linear: the products of a Dense layer, x (N, D), kernel (D, M), y (N, M)."""

from __future__ import annotations

import numpy as np

from nnlite.arrays import Array


def forward(x: Array, kernel: Array, bias: Array | None, y: Array, relu: bool) -> None:
    """y = x @ kernel + bias (M,), then max(y, 0) if relu; bias may be None."""
    np.matmul(x, kernel, out=y)
    if bias is not None:
        y += bias
    if relu:
        np.maximum(y, 0, out=y)


def kernel_gradient(x: Array, dy: Array, dkernel: Array, dbias: Array | None) -> None:
    """dkernel = x' @ dy; dbias (M,), unless None, is the sum of dy over the batch."""
    np.matmul(x.T, dy, out=dkernel)
    if dbias is not None:
        np.sum(dy, axis=0, out=dbias)


def input_gradient(dy: Array, kernel: Array, dx: Array, workspace: object) -> None:
    """dx (N, D) = dy @ kernel'; `workspace` is not used."""
    np.matmul(dy, kernel.T, out=dx)
