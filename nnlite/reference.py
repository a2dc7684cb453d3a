"""The NumPy twin of every compiled kernel: what it computes, in the fewest lines, and the oracle of its test.

Layout is NHWC throughout. Slow on purpose: nothing but the tests calls these.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def im2col(x: Array, kernel: tuple[int, int], strides: tuple[int, int], pads: tuple[int, int, int, int]) -> Array:
    """Patches of x (N, H, W, C) as rows: col (N*OH*OW, KH*KW*C).

    col[(n*OH + oy)*OW + ox, (ky*KW + kx)*C + c] = x[n, oy*SH + ky - top, ox*SW + kx - left, c], 0 outside.
    pads = (top, bottom, left, right).
    """
    (kh, kw), (sh, sw), (top, bottom, left, right) = kernel, strides, pads
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(1, 2))[:, ::sh, ::sw]
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, kh * kw * x.shape[3])


def col2im(
    col: Array,
    shape: tuple[int, int, int, int],
    kernel: tuple[int, int],
    strides: tuple[int, int],
    pads: tuple[int, int, int, int],
) -> Array:
    """The adjoint of im2col: every patch element added back to the pixel it was read from, giving x (N, H, W, C)."""
    (n, h, w, c), (kh, kw), (sh, sw), (top, bottom, left, right) = shape, kernel, strides, pads
    oh, ow = (h + top + bottom - kh) // sh + 1, (w + left + right - kw) // sw + 1
    patches = col.reshape(n, oh, ow, kh, kw, c)
    padded = np.zeros((n, h + top + bottom, w + left + right, c), col.dtype)
    for ky in range(kh):
        for kx in range(kw):
            padded[:, ky : ky + sh * oh : sh, kx : kx + sw * ow : sw][:, :oh, :ow] += patches[:, :, :, ky, kx]
    return padded[:, top : top + h, left : left + w]


def stack_gather(frames: Array, slots: Array, ages: Array, depth: int) -> Array:
    """Stacks of the last `depth` frames before and at each slot, oldest first, on a new last axis.

    frames  (S, ...)  one frame a slot, consecutive slots of one game in time order, on a ring of S slots
    slots   (B,) int  the newest frame of each stack
    ages    (S,) int  steps since the game's reset, at least up to depth - 1: a stack never reaches back beyond it

    Returns (B, ..., depth): out[b, ..., depth-1-j] = frames[(slots[b] - min(j, ages[slots[b]])) mod S].
    """
    back = np.minimum(np.arange(depth - 1, -1, -1)[None, :], ages[slots][:, None])  # (B, depth)
    return np.moveaxis(frames[(slots[:, None] - back) % len(frames)], 1, -1)


def push_frames(screens: Array, rows: Array, columns: Array, fresh: Array, stack: Array) -> Array:
    """The stacks (N, h, w, K) after each game's new screen (N, H, W, 1 or 3) of bytes: luminance, nearest pixel, newest last.

    fresh  (N,) 1 where a game begins: its stack holds its first screen K times
    """
    shown = np.moveaxis(screens[:, rows][:, :, columns].astype(np.int64), -1, 0)
    red, green, blue = shown[[0, 0, 0] if screens.shape[3] == 1 else [0, 1, 2]]
    grey = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
    newest = grey.astype(np.uint8)[..., None]
    pushed = np.concatenate([stack[..., 1:], newest], axis=-1)
    return np.where(fresh[:, None, None, None] == 1, np.repeat(newest, stack.shape[-1], axis=-1), pushed)
