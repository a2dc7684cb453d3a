"""NumPy twins of nnlite_ext._linear: the three products of a dense layer, x (N, D), kernel (D, M), y (N,
M).
"""

from __future__ import annotations

import numpy as np

from nnlite.arrays import Array


def dense_forward(x: Array, kernel: Array, bias: Array | None, y: Array, relu: bool) -> None:
    """y = x @ kernel + bias (M,), then max(y, 0) if relu; bias may be None."""
    np.matmul(x, kernel, out=y)
    if bias is not None:
        y += bias
    if relu:
        np.maximum(y, 0, out=y)


def dense_kernel_gradient(x: Array, dy: Array, dkernel: Array, dbias: Array | None) -> None:
    """dkernel = x' @ dy; dbias (M,), unless None, is the sum of dy over the batch."""
    np.matmul(x.T, dy, out=dkernel)
    if dbias is not None:
        np.sum(dy, axis=0, out=dbias)


def dense_input_gradient(dy: Array, kernel: Array, dx: Array, scratch: object) -> None:
    """dx (N, D) = dy @ kernel'; `scratch` is the compiled kernel's and is not used here."""
    np.matmul(dy, kernel.T, out=dx)
