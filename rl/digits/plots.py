"""Pictures of a classification: the confusion matrix, and every image that was misread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nnlite.arrays import Array

RIGHT, WRONG = "#0072b2", "#d55e00"  # colour-blind readers can distinguish them too
MOST_SHOWN = 100
CELL, CAPTION = (13, 11), 4  # pixels: height and width of a misread image's place, and of its caption line


def draw_confusion(path: Path, counts: Array, title: str) -> None:
    """Draw the counts (K, K): true digits in rows, digits read in columns, mistakes in orange."""
    from rl.watch.plots import new_figure

    figure, axes = new_figure(title, "read as", "true digit")
    figure.set_size_inches(6.4, 6.4)
    classes = len(counts)
    axes.imshow(_shades(counts))
    for actual, predicted in np.argwhere(counts):
        number = counts[actual, predicted]
        axes.text(
            predicted,
            actual,
            str(number),
            ha="center",
            va="center",
            color="white" if actual == predicted else "black",
        )
    axes.set(xticks=range(classes), yticks=range(classes))
    axes.grid(False)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(length=0)
    figure.savefig(path, format="png", dpi=120)


def draw_misread(path: Path, images: Array, actual: Array, probabilities: Array, total: int) -> None:
    """Draw every misread image, the surest mistakes first.

    images         (M, 8, 8)
    actual         (M,)    the true digits
    probabilities  (M, K)  of the network
    total          images read in all
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    predicted, sure = probabilities.argmax(1), probabilities.max(1)
    order = np.argsort(-sure)[:MOST_SHOWN]
    columns = min(8, max(5, len(order)))
    sheet = np.zeros((max(1, -(-len(order) // columns)) * CELL[0], columns * CELL[1]))
    figure = Figure(figsize=(sheet.shape[1] / 10, sheet.shape[0] / 10 + 0.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for place, index in enumerate(order):
        top, left = place // columns * CELL[0] + CAPTION, place % columns * CELL[1] + 1
        sheet[top : top + 8, left : left + 8] = images[index]
        caption = f"{actual[index]} → {predicted[index]}  {sure[index]:.0%}"
        axes.text(left + 3.5, top - 1.2, caption, ha="center", va="bottom", fontsize=11, color=WRONG)
    axes.imshow(sheet, cmap="gray_r", vmin=0, vmax=16)
    axes.axis("off")
    more = f"; the {MOST_SHOWN} surest are shown" if len(actual) > MOST_SHOWN else ""
    axes.set_title(
        f"{len(actual)} of {total} digits misread{more}\ntrue → read as, and how sure the network was",
        fontsize=11,
    )
    figure.savefig(path, format="png", dpi=110)


def _shades(counts: Array) -> Any:
    """Return colours (K, K, 3), white for a count of 0. Diagonal and mistakes have a scale each."""
    from matplotlib.colors import to_rgb

    on_diagonal = np.eye(len(counts), dtype=bool)
    colours = np.ones((*counts.shape, 3))
    for cells, colour in ((on_diagonal, RIGHT), (~on_diagonal, WRONG)):
        most = max(1, counts[cells].max(initial=0))
        strength = np.where(counts > 0, 0.25 + 0.75 * counts / most, 0.0)[..., None]
        full = np.array(to_rgb(colour)) if colour == RIGHT else np.array(to_rgb(colour)) * 0.75 + 0.25
        colours = np.where(cells[..., None], 1 - strength * (1 - full), colours)
    return colours
