"""Mazes: their table of neighbours, one made from a seed, and the shortest way through by search.

A maze is a table of neighbours. Cells are numbered row by row from the upper left corner, as in the article,
whose maze this is (drawings are read and written by rl/envs/maze_text.py):

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

UP, RIGHT, DOWN, LEFT = range(4)
ACTION_NAMES = ("up", "right", "down", "left")
OPPOSITE = (DOWN, LEFT, UP, RIGHT)


@dataclass(frozen=True)
class MazeLayout:
    """A maze of height * width = S cells.

    neighbour  (S, 4) int32  the cell that up, right, down, left lead to; -1 where a wall is
    start, goal              cell numbers
    """

    height: int
    width: int
    start: int
    goal: int
    neighbour: np.ndarray

    @property
    def cells(self) -> int:
        return self.height * self.width

    def is_open(self, cell: int, action: int) -> bool:
        return bool(self.neighbour[cell, action] >= 0)

    def is_solid(self, cell: int) -> bool:
        """Walls on all four sides: no one ever stands there (a maze of one cell aside)."""
        return bool(np.all(self.neighbour[cell] < 0)) and cell not in (self.start, self.goal)


def generate_maze(height: int, width: int, rng: np.random.Generator, loops: float = 0.1) -> MazeLayout:
    """A random maze from the upper left to the lower right corner, every cell reachable.

    A depth-first walk carves one way between any two cells; then a share `loops` in [0, 1] of the walls that
    are left inside is opened, so that there is more than one way, and finding the shortest is a task.

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


def _carve(neighbour: np.ndarray, height: int, width: int, rng: np.random.Generator) -> None:
    """Depth first from cell 0: go on into a random new cell, step back where there is none."""
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
    """(action, cell) for each cell beside this one, walls or not."""
    row, column = divmod(cell, width)
    right, below = column < width - 1, row < height - 1
    sides = [(UP, row > 0, -width), (RIGHT, right, 1), (DOWN, below, width), (LEFT, column > 0, -1)]
    return [(action, cell + step) for action, inside, step in sides if inside]


def inner_sides(height: int, width: int) -> list[tuple[int, int, int]]:
    """(cell, RIGHT or DOWN, other cell): every side between two cells once."""
    return [
        (cell, action, other)
        for cell in range(height * width)
        for action, other in beside(cell, height, width)
        if action in (RIGHT, DOWN)
    ]


def open_side(neighbour: np.ndarray, cell: int, action: int, other: int) -> None:
    """Take away the wall between two cells, seen from both."""
    neighbour[cell, action] = other
    neighbour[other, OPPOSITE[action]] = cell


def shortest_path(layout: MazeLayout) -> list[int] | None:
    """The cells of a shortest path from start to goal, both included; None when there is no path.

    Breadth first.
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


def checked(layout: MazeLayout, name: str = "the maze") -> MazeLayout:
    """The layout itself when its goal can be reached, else ValueError."""
    if shortest_path(layout) is None:
        raise ValueError(
            f"{name}: no path leads from the start (cell {layout.start}) to the goal (cell {layout.goal})\n"
            "  open a wall between them"
        )
    return layout
