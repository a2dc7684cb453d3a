"""NumPy twin of nnlite_ext._crossentropy: the cross-entropy of a softmax, taken from the logits."""

from __future__ import annotations

import numpy as np

from nnlite.arrays import Array


def log_softmax(logits: Array) -> Array:
    """z - logsumexp(z) over the last axis: finite for every finite z, unlike log(softmax(z))."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


def crossentropy(logits: Array, target: Array) -> tuple[float, Array]:
    """(loss, dlogits) of logits and target (N, ..., K), the mean over all but the last axis."""
    log_p = log_softmax(logits)
    rows = logits.size // logits.shape[-1]
    value = -float(np.sum(target * log_p)) / rows
    gradient = np.exp(log_p) * target.sum(axis=-1, keepdims=True) - target
    return value, (gradient / rows).astype(logits.dtype, copy=False)
