"""The three products of a Dense layer, by the compiled kernels or by BLAS, whichever is faster.

The kernels read the weights once, in place, prefetch them, and share the work between their threads. BLAS
packs the weights first, which pays from some hundred rows on. Measured for 6400 x 256 weights out of the
cache, AVX-512, one thread: forward 2.2 against 4.4 ms at 32 rows, the gradient of two rows of x 1.4 against
3.0 ms, level at 256 rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnlite_ext import _linear, _threads

from nnlite.arrays import Array
from nnlite.reference import linear as blas

MOST_ROWS = 256  # above, BLAS


def affine(x: Array, W: Array, b: Array | None, y: Array, relu: bool) -> None:
    """Compute y = x @ W + b, then max(y, 0) if relu; x (N, D), W (D, M), b (M,), y (N, M)."""
    _faster(len(x)).forward(x, W, b, y, relu)


def weight_gradients(x: Array, dz: Array, dW: Array, db: Array | None) -> None:
    """Compute dW = x' dz (D, M) and db = the sum of dz over its rows (M,), both overwritten."""
    _faster(len(x)).kernel_gradient(x, dz, dW, db)


def input_gradient(dz: Array, W: Array, dx: Array, buffer: Callable[[str, tuple[int, ...]], Array]) -> None:
    """Compute dx = dz W' (N, D); buffer(name, shape) returns the workspace."""
    products = _faster(len(dz))
    workspace = buffer("workspace", (_linear.workspace_size(*dz.shape),)) if products is _linear else None
    products.input_gradient(dz, W, dx, workspace)


def _faster(rows: int) -> Any:
    """Return the module with the faster products for a batch of this many rows."""
    return _linear if rows <= MOST_ROWS and _threads.lanes() > 1 else blas
