"""The three products of a dense layer: by our kernels where they win, by BLAS elsewhere.

Ours read the weights once, where they lie, ask for them in time, and share the work between our own threads;
BLAS packs them first, which pays from some hundred rows on. Measured for 6400 x 256 weights out of the cache,
AVX-512, one thread: forward 2.2 against 4.4 ms at 32 rows, the gradient of two rows of x 1.4 against 3.0 ms,
level at 256 rows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from nnlite_ext import _linear, _threads

from nnlite.arrays import Array

MOST_ROWS = 256  # above, BLAS


def _ours(rows: int) -> bool:
    return rows <= MOST_ROWS and _threads.lanes() > 1


def affine(x: Array, W: Array, b: Array | None, y: Array, relu: bool) -> None:
    """y = x @ W + b, then max(y, 0) if wanted; x (N, D), W (D, M), b (M,), y (N, M)."""
    if _ours(len(x)):
        _linear.dense_forward(x, W, b, y, relu)
        return
    np.matmul(x, W, out=y)
    if b is not None:
        y += b
    if relu:
        np.maximum(y, 0, out=y)


def weight_gradients(x: Array, dz: Array, dW: Array, db: Array | None) -> None:
    """dW = x' dz (D, M) and db = the sum of dz over its rows (M,), both overwritten."""
    if _ours(len(x)):
        _linear.dense_kernel_gradient(x, dz, dW, db)
        return
    np.matmul(x.T, dz, out=dW)
    if db is not None:
        np.sum(dz, axis=0, out=db)


def input_gradient(dz: Array, W: Array, dx: Array, buffer: Callable[[str, tuple[int, ...]], Array]) -> None:
    """dx = dz W' (N, D); `buffer` lends the scratch."""
    if _ours(len(dz)):
        _linear.dense_input_gradient(dz, W, dx, buffer("scratch", ((len(dz) + 32) * W.shape[1],)))
    else:
        np.matmul(dz, W.T, out=dx)
