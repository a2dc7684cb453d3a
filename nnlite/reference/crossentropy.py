"""NumPy twin of nnlite_ext._crossentropy: the cross-entropy of a softmax, taken from the logits."""

from __future__ import annotations

import numpy as np

from nnlite.arrays import Array


def log_softmax(logits: Array) -> Array:
    """z - logsumexp(z) over the last axis: finite for every finite z, unlike log(softmax(z))."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


def crossentropy_rows(logits: Array, target: Array) -> tuple[Array, Array]:
    """(losses (N, ...), their derivatives (N, ..., K)) of each row of logits and target (N, ..., K)."""
    log_p = log_softmax(logits)
    gradient = np.exp(log_p) * target.sum(axis=-1, keepdims=True) - target
    return -np.sum(target * log_p, axis=-1), gradient


def crossentropy(logits: Array, target: Array) -> tuple[float, Array]:
    """(loss, dlogits) of logits and target (N, ..., K), the mean over all but the last axis."""
    losses, gradient = crossentropy_rows(logits, target)
    return float(np.sum(losses)) / losses.size, (gradient / losses.size).astype(logits.dtype, copy=False)
