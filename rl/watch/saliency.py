"""Saliency: the gradient of a network's output with respect to the screen; and its first layer's filters.

The gradient shows which pixels would change the output most. It is not a map of attention: a black place has
a large gradient if something bright appearing there would matter.

Source: Simonyan, Vedaldi and Zisserman 2014, Deep Inside Convolutional Networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from nnlite import Sequential
from nnlite.arrays import Array
from nnlite.layers import Conv2D
from rl.watch.plots import blank_figure
from rl.watch.stage import Moment

HEAT = np.array([255, 176, 0], np.float32)  # colour of the largest gradient
SIDE = 256  # pixels, about, of a picture with saliency on it
BLUR = 1.0  # pixels of the screen: gradients of single pixels are noisy
SHOTS = 6  # moments in saliency.png


def looks_at_screens(model: Sequential) -> bool:
    """Whether the network reads screens (H, W, C)."""
    return len(model.input_shape) == 3


def saliency(model: Sequential, observation: Array, action: int) -> Array:
    """Compute how much each pixel changes the output of `action`: (H, W) float in [0, 1].

    observation  (1, H, W, C) as the network reads it

    s = max over C of |d y[action] / d x|, slightly blurred, divided by its maximum. Overwrites the gradients
    of the model.
    """
    output = model.forward(observation)  # (1, A)
    wanted = np.zeros_like(output)
    wanted[0, action] = 1
    gradient = model.backward(wanted, need_dx=True)  # (1, H, W, C)
    strength = np.abs(gradient[0]).max(axis=2)  # type: ignore[index]
    greatest = strength.max()
    if not greatest > 0:
        return np.zeros(strength.shape)
    image = Image.fromarray(np.uint8(255 * strength / greatest)).filter(ImageFilter.GaussianBlur(BLUR))
    blurred = np.asarray(image, float)
    return np.asarray(blurred / max(blurred.max(), 1.0))


def overlay(picture: Array, heat: Array) -> Array:
    """Colour a picture (H, W, 3) uint8 where the saliency `heat` (h, w) is high; enlarge a small one."""
    scale = max(1, SIDE // max(picture.shape[:2]))
    picture = picture.repeat(scale, 0).repeat(scale, 1)
    smooth = Image.fromarray(np.uint8(255 * heat)).resize(picture.shape[1::-1], Image.Resampling.BILINEAR)
    share = 0.8 * np.asarray(smooth, np.float32)[:, :, None] / 255
    return (picture * (1 - share) + HEAT * share).astype(np.uint8)


def first_convolution(model: Sequential) -> Conv2D | None:
    """Return the first convolution of the network, if it has one."""
    return next((layer for layer in model.layers if isinstance(layer, Conv2D)), None)


def filters_plot(path: Path, model: Sequential) -> None:
    """Plot the first convolution's filters, from the oldest to the newest frame; red is positive.

    Raises ValueError for a network without convolution.
    """
    layer = first_convolution(model)
    if layer is None:
        raise ValueError("this network has no convolution")
    tiles = filter_tiles(np.asarray(layer.get_weights()[0]))
    reach = float(np.nanmax(np.abs(tiles))) or 1.0
    figure = blank_figure(11, 11 * tiles.shape[0] / tiles.shape[1] + 0.8)
    axes = figure.add_subplot()
    image = axes.imshow(tiles, cmap="RdBu_r", vmin=-reach, vmax=reach, interpolation="nearest")
    figure.colorbar(image, ax=axes, label="weight", shrink=0.9, pad=0.01)
    axes.set(title="First-layer filters, each from the oldest to the newest frame", xticks=[], yticks=[])
    axes.set_frame_on(False)
    figure.savefig(path, format="png", dpi=120)


def filter_tiles(kernel: Array, columns: int = 4) -> Array:
    """Place filters (K, L, C, F) in rows of `columns`; each is a strip of its C patches, with NaN between."""
    height, width, channels, count = kernel.shape
    rows = -(-count // columns)
    strip = channels * (width + 1) + 1
    tiles = np.full((rows * (height + 2), columns * (strip + 1)), np.nan)
    for index in range(count):
        top, left = index // columns * (height + 2), index % columns * (strip + 1)
        for channel in range(channels):
            x = left + channel * (width + 1)
            tiles[top : top + height, x : x + width] = kernel[:, :, channel, index]
    return tiles


def saliency_plot(path: Path, model: Sequential, moments: Sequence[Moment], actions: tuple[str, ...]) -> None:
    """Plot evenly spaced moments of the longest game.

    Above is the screen, below the saliency of the action taken.
    """
    games = [moment.game for moment in moments if moment.action >= 0]
    longest = max(games, key=games.count, default=0)
    acted = [moment for moment in moments if moment.action >= 0 and moment.game == longest]
    chosen = [acted[index] for index in np.linspace(0, len(acted) - 1, min(SHOTS, len(acted))).astype(int)]
    figure = blank_figure(2 * len(chosen), 4.6)
    grid = figure.subplots(2, len(chosen), squeeze=False)
    for moment, (above, below) in zip(chosen, grid.T, strict=True):
        above.imshow(moment.picture, interpolation="nearest")
        below.imshow(
            overlay(moment.picture, saliency(model, moment.observation, moment.action)),
            interpolation="nearest",
        )
        above.set_title(f"step {moment.step}: {actions[moment.action]}", fontsize=10)
        for axes in (above, below):
            axes.set(xticks=[], yticks=[])
    figure.suptitle(f"Game {longest + 1}: screens, and the pixels that mattered for the chosen action")
    figure.savefig(path, format="png", dpi=100)
