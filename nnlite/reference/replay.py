"""NumPy twin of nnlite_ext._replay: stacks of frames out of a ring."""

from __future__ import annotations

import numpy as np

from nnlite.arrays import Array


def stack_gather(frames: Array, slots: Array, ages: Array, depth: int) -> Array:
    """Stacks of the last `depth` frames before and at each slot, oldest first, on a new last axis.

    frames  (S, ...)  one frame a slot, consecutive slots of one game in time order, on a ring of S slots
    slots   (B,) int  the newest frame of each stack
    ages    (S,) int  steps since the game's reset, at least up to depth - 1: a stack never reaches back
                      beyond it

    Returns (B, ..., depth): out[b, ..., depth-1-j] = frames[(slots[b] - min(j, ages[slots[b]])) mod S].
    """
    back = np.minimum(np.arange(depth - 1, -1, -1)[None, :], ages[slots][:, None])  # (B, depth)
    return np.moveaxis(frames[(slots[:, None] - back) % len(frames)], 1, -1)
