"""NumPy twin of `gather` of nnlite_ext._replay: stacks of frames from a ring.

Sampling is tested against an unbounded list of transitions instead, in tests/rl/core/test_replay.py.
"""

from __future__ import annotations

import numpy as np

from nnlite.arrays import Array


def gather(frames: Array, slots: Array, ages: Array, depth: int) -> Array:
    """Stacks of the last `depth` frames up to each slot, oldest first, on a new last axis.

    frames  (S, ...)  the frames of one game on a ring of S slots, in order of time
    slots   (B,) int  the slot of each stack's newest frame
    ages    (S,) int  steps since the game's reset, or depth - 1 if that is less: a stack never reaches
                      beyond the reset

    Returns (B, ..., depth): out[b, ..., depth-1-j] = frames[(slots[b] - min(j, ages[slots[b]])) mod S].
    """
    back = np.minimum(np.arange(depth - 1, -1, -1)[None, :], ages[slots][:, None])  # (B, depth)
    return np.moveaxis(frames[(slots[:, None] - back) % len(frames)], 1, -1)
