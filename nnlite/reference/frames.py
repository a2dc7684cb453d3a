"""NumPy twin of nnlite_ext._frames: a new screen for every game's stack of frames."""

from __future__ import annotations

import numpy as np

from nnlite.arrays import Array


def push(screens: Array, rows: Array, columns: Array, fresh: Array, stack: Array) -> Array:
    """The stacks (N, h, w, K) after each game's new screen (N, H, W, 1 or 3) of bytes, newest frame last.

    A frame is the screen's luminance at the nearest pixels, rows (h,) and columns (w,).
    fresh  (N,) 1 where a game begins: its stack holds its first screen K times
    """
    shown = np.moveaxis(screens[:, rows][:, :, columns].astype(np.int64), -1, 0)
    red, green, blue = shown[[0, 0, 0] if screens.shape[3] == 1 else [0, 1, 2]]
    grey = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
    newest = grey.astype(np.uint8)[..., None]
    pushed = np.concatenate([stack[..., 1:], newest], axis=-1)
    return np.where(fresh[:, None, None, None] == 1, np.repeat(newest, stack.shape[-1], axis=-1), pushed)
