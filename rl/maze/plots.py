"""Pictures of a maze: the policy drawn into it, the curve of the episodes, and an episode as a GIF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnlite.arrays import Array
from rl.envs.maze_layout import DOWN, LEFT, RIGHT, UP, MazeLayout

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OFFSETS = {UP: (0, -1), RIGHT: (1, 0), DOWN: (0, 1), LEFT: (-1, 0)}  # x to the right, y down
GIF_SIDE = 320  # pixels, at least
MOST_NUMBERS = 150  # cells of a maze that shows their numbers
LONGEST_GIF = 600  # frames; a longer episode shows its end


def centre(layout: MazeLayout, cell: int) -> tuple[float, float]:
    """Return the centre (x, y) of a cell, in cells from the upper left corner."""
    row, column = divmod(cell, layout.width)
    return column + 0.5, row + 0.5


def walls(layout: MazeLayout) -> list[tuple[float, float, float, float]]:
    """Return (x1, y1, x2, y2) of every wall, the border included."""
    lines: list[tuple[float, float, float, float]] = [(0, 0, layout.width, 0), (0, 0, 0, layout.height)]
    for cell in range(layout.cells):
        row, column = divmod(cell, layout.width)
        if not layout.is_open(cell, RIGHT):
            lines.append((column + 1, row, column + 1, row + 1))
        if not layout.is_open(cell, DOWN):
            lines.append((column, row + 1, column + 1, row + 1))
    return lines


def draw_policy(path: Path, layout: MazeLayout, pi: Array, greedy: list[int] | None, title: str) -> None:
    """Draw the maze with an arrow for each action, its length the probability, and the greedy path."""
    figure, axes = _figure(size=min(12.0, max(4.0, 0.6 * max(layout.height, layout.width))))
    for x1, y1, x2, y2 in walls(layout):
        axes.plot([x1, x2], [y1, y2], color="black", linewidth=2, solid_capstyle="round")
    for cell in (cell for cell in range(layout.cells) if layout.is_solid(cell)):
        row, column = divmod(cell, layout.width)
        axes.fill([column, column + 1, column + 1, column], [row, row, row + 1, row + 1], color="black")
    if greedy is not None:
        axes.plot(
            *zip(*(centre(layout, cell) for cell in greedy)),
            color="#e69f00",
            linewidth=6,
            alpha=0.45,
            zorder=1,
        )
    _draw_arrows(axes, layout, pi)
    for cell, letter in ((layout.start, "S"), (layout.goal, "G")):
        x, y = centre(layout, cell)
        axes.text(x - 0.42, y - 0.42, letter, ha="left", va="top", fontweight="bold", color="#009e73")
    for cell in range(layout.cells if layout.cells <= MOST_NUMBERS else 0):
        x, y = centre(layout, cell)
        axes.text(x + 0.42, y + 0.42, str(cell), ha="right", va="bottom", fontsize=9, color="#555555")
    axes.set(xlim=(-0.1, layout.width + 0.1), ylim=(layout.height + 0.1, -0.1), aspect="equal")
    axes.set_title(title, fontsize=10)
    axes.axis("off")
    figure.savefig(path, dpi=120)


def _draw_arrows(axes: Axes, layout: MazeLayout, pi: Array) -> None:
    cells, actions = np.nonzero(pi > 0.01)
    if len(cells) == 0:
        return
    starts = np.array([centre(layout, cell) for cell in cells.tolist()])
    steps = np.array([OFFSETS[action] for action in actions.tolist()]) * 0.42 * pi[cells, actions][:, None]
    axes.quiver(
        *starts.T,
        *steps.T,
        pi[cells, actions],
        cmap="Blues",
        clim=(-0.4, 1),
        edgecolor="#204060",
        linewidth=0.3,
        angles="xy",
        scale_units="xy",
        scale=1,
        units="xy",
        width=0.05,
        headwidth=3.4,
        headlength=3,
        headaxislength=2.8,
        minlength=0,
        zorder=2,
    )


def draw_lengths(path: Path, lengths: Array, shortest: int) -> None:
    """Draw the steps (E,) of the episodes on a logarithmic axis, with the shortest path."""
    figure, axes = _figure(size=5.0, ratio=1.6)
    axes.plot(np.arange(len(lengths)), lengths, ".", markersize=3, color="#0072b2", label="episode")
    axes.axhline(
        shortest, color="black", linestyle="--", linewidth=1, label=f"shortest path, {shortest} steps"
    )
    axes.set(yscale="log", xlabel="episode", ylabel="steps to the goal")
    axes.set_title(f"Steps of each episode: from {lengths[0]:,} to {lengths[-1]:,}", fontsize=10)
    ticks = plain_ticks(min(shortest, int(lengths.min())), int(lengths.max()))
    axes.set_yticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.set_yticks([], minor=True)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right")
    figure.savefig(path, dpi=120)


def plain_ticks(least: int, most: int) -> list[int]:
    """Return `least`, and the round numbers 1, 2, 4, 6, 10, 20 ... above it, to `most`."""
    rounds = [digit * 10**power for power in range(len(str(most))) for digit in (1, 2, 4, 6)]
    return [least, *(number for number in rounds if 1.2 * least <= number <= most)]


def write_gif(path: Path, pictures: Sequence[Array]) -> None:
    """Write the pictures of a walk as an animation that holds its end."""
    from PIL import Image

    frames = []
    for pixels in pictures:
        picture = Image.fromarray(pixels)
        scale = max(2, GIF_SIDE // max(picture.size))
        frames.append(
            picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
        )
    durations = [milliseconds(len(frames))] * (len(frames) - 1) + [1500]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=durations, loop=0)


def milliseconds(frames: int) -> int:
    """Return the duration of a step: a second in a short walk, as in the article; less in a long one."""
    return int(min(1000, max(40, 20_000 / frames)))


def _figure(size: float, ratio: float = 1.0) -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(size * ratio, size), layout="constrained")
    FigureCanvasAgg(figure)  # needs no screen
    return figure, figure.add_subplot()
