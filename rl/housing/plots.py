"""The picture of the housing article: actual against predicted price."""

from __future__ import annotations

from pathlib import Path

from nnlite.arrays import Array

SHADES = "#0072b2", "#444444"


def draw_scatter(path: Path, actual: Array, predicted: Array) -> None:
    """Draw actual against predicted price; a perfect prediction lies on the diagonal."""
    from rl.watch.plots import new_figure

    figure, axes = new_figure(
        "House prices held out from training", "actual price (1000 $)", "predicted price (1000 $)"
    )
    figure.set_size_inches(6, 6)
    limit = 1.04 * max(float(actual.max()), float(predicted.max()))
    axes.plot(
        [0, limit], [0, limit], color=SHADES[1], linewidth=1, linestyle="--", label="predicted = actual"
    )
    axes.plot(
        actual,
        predicted,
        "o",
        color=SHADES[0],
        markersize=5,
        alpha=0.6,
        markeredgewidth=0,
        label="a district",
    )
    axes.set(xlim=(0, limit), ylim=(min(0.0, float(predicted.min())), limit), aspect="equal")
    axes.legend(loc="upper left", frameon=False)
    figure.savefig(path, format="png", dpi=120)
