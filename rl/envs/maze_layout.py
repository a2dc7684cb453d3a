"""Mazes: the table of neighbours, a generator, and the shortest path by search.

A maze is a table of neighbours. Cells are numbered row by row from the upper left corner. Here is the
article's maze; rl/envs/maze_text.py reads and writes such drawings:

    +--+--+--+
    |S       |     0  1  2        neighbour[0] = [-1, 1, 3, -1]     up, right, down, left; -1 is a wall
    +  +  +--+
    |  |     |     3  4  5
    +  +--+  +
    |     |G |     6  7  8
    +--+--+--+
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from nnlite.arrays import Array

UP, RIGHT, DOWN, LEFT = range(4)
ACTION_NAMES = ("up", "right", "down", "left")
OPPOSITE = (DOWN, LEFT, UP, RIGHT)


@dataclass(frozen=True)
class MazeLayout:
    """A maze of height * width = S cells.

    neighbour  (S, 4) int32  the cell that up, right, down, left lead to; -1 at a wall
    start, goal              cell numbers
    """

    height: int
    width: int
    start: int
    goal: int
    neighbour: Array

    @property
    def cells(self) -> int:
        return self.height * self.width

    def is_open(self, cell: int, action: int) -> bool:
        """Return whether this side of the cell has no wall."""
        return bool(self.neighbour[cell, action] >= 0)

    def is_solid(self, cell: int) -> bool:
        """Return whether walls close all four sides; start and goal never count as solid."""
        return bool(np.all(self.neighbour[cell] < 0)) and cell not in (self.start, self.goal)


def generate_maze(height: int, width: int, rng: np.random.Generator, loops: float = 0.1) -> MazeLayout:
    """Make a random maze from the upper left to the lower right corner, every cell reachable.

    A depth-first walk carves exactly one path between any two cells. Then each inner wall that remains is
    opened with probability `loops` in [0, 1]: with several paths, finding the shortest becomes a task.

    Raises ValueError for fewer than 2 cells.
    """
    if height < 1 or width < 1 or height * width < 2:
        raise ValueError(f"a maze of {width}x{height} has no way from a start to a goal; the smallest is 2x1")
    neighbour = np.full((height * width, 4), -1, np.int32)
    _carve(neighbour, height, width, rng)
    for cell, action, other in inner_sides(height, width):
        if neighbour[cell, action] < 0 and rng.random() < loops:
            open_side(neighbour, cell, action, other)
    return MazeLayout(height, width, 0, height * width - 1, neighbour)


def _carve(neighbour: Array, height: int, width: int, rng: np.random.Generator) -> None:
    """Walk depth first from cell 0: enter a random new cell, or step back where there is none."""
    seen = np.zeros(height * width, bool)
    seen[0] = True
    way = [0]
    while way:
        cell = way[-1]
        new = [(action, other) for action, other in beside(cell, height, width) if not seen[other]]
        if not new:
            way.pop()
            continue
        action, other = new[int(rng.integers(len(new)))]
        open_side(neighbour, cell, action, other)
        seen[other] = True
        way.append(other)


def beside(cell: int, height: int, width: int) -> list[tuple[int, int]]:
    """Return (action, cell) for each adjacent cell, behind a wall or not."""
    row, column = divmod(cell, width)
    right, below = column < width - 1, row < height - 1
    sides = [(UP, row > 0, -width), (RIGHT, right, 1), (DOWN, below, width), (LEFT, column > 0, -1)]
    return [(action, cell + step) for action, inside, step in sides if inside]


def inner_sides(height: int, width: int) -> list[tuple[int, int, int]]:
    """Return (cell, RIGHT or DOWN, other cell) for every side between two cells, each side once."""
    return [
        (cell, action, other)
        for cell in range(height * width)
        for action, other in beside(cell, height, width)
        if action in (RIGHT, DOWN)
    ]


def open_side(neighbour: Array, cell: int, action: int, other: int) -> None:
    """Remove the wall between two cells, in both rows of the table."""
    neighbour[cell, action] = other
    neighbour[other, OPPOSITE[action]] = cell


def shortest_path(layout: MazeLayout) -> list[int] | None:
    """Return the cells of a shortest path from start to goal, both included; None when there is no path.

    Searches breadth first.
    """
    came_from = {layout.start: -1}
    queue = deque([layout.start])
    while queue and layout.goal not in came_from:
        cell = queue.popleft()
        for other in layout.neighbour[cell]:
            if other >= 0 and int(other) not in came_from:
                came_from[int(other)] = cell
                queue.append(int(other))
    if layout.goal not in came_from:
        return None
    path = [layout.goal]
    while path[-1] != layout.start:
        path.append(came_from[path[-1]])
    return path[::-1]


def check_layout(layout: MazeLayout, name: str = "the maze") -> MazeLayout:
    """Return the layout. Raises ValueError when no path leads from its start to its goal."""
    if shortest_path(layout) is None:
        raise ValueError(
            f"{name}: no path leads from the start (cell {layout.start}) to the goal (cell {layout.goal})\n"
            "  open a wall between them"
        )
    return layout
