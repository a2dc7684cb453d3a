"""Mazes as text: two ways to draw one in a file, and the drawing on the terminal.

Thin walls, 3 columns and 2 lines for each cell:      Blocks, one character for each cell:

    +--+--+--+                                            S.#
    |S    |  |                                            #..
    +  +--+  +                                            ..G
    |      G |
    +--+--+--+

S is the start and G the goal. With thin walls, anything but a blank on a side is a wall, and the border is
always closed. With blocks, # is a wall and anything else is free.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rl.envs.maze_layout import DOWN, RIGHT, MazeLayout, check_layout, inner_sides, open_side

ARTICLE_DRAWING = """
+--+--+--+
|S       |
+  +  +--+
|  |     |
+  +--+  +
|     |G |
+--+--+--+
"""


def article_maze() -> MazeLayout:
    """Make the article's 3x3 maze: start 0, goal 8, shortest path 0 1 4 5 8."""
    return parse_maze(ARTICLE_DRAWING, "the article's maze")


def read_maze(path: str | Path) -> MazeLayout:
    """Read the maze drawn in a UTF-8 text file. Raises OSError, or ValueError as `parse_maze` does."""
    return parse_maze(Path(path).read_text(encoding="utf-8-sig"), str(path))


def parse_maze(drawing: str, name: str = "the maze") -> MazeLayout:
    """Read a drawing; see the module for the two kinds.

    Raises ValueError, with what to do in its second line, when the drawing is of neither kind, when S or G is
    missing or doubled, and when no path leads from S to G.
    """
    lines = [line.rstrip() for line in drawing.splitlines()]
    while lines and not lines[0]:
        del lines[0]
    while lines and not lines[-1]:
        del lines[-1]
    if not lines:
        raise ValueError(f"{name} is empty\n  draw thin walls (+--+) or blocks (# is a wall), and S and G")
    thin = lines[0].lstrip().startswith("+")
    return check_layout(_parse_thin(_flush(lines), name) if thin else _parse_blocks(lines, name), name)


def _flush(lines: list[str]) -> list[str]:
    """Remove the margin that all lines share, and pad them to one length."""
    margin = len(lines[0]) - len(lines[0].lstrip())
    width = max(map(len, lines)) - margin
    return [line[margin:].ljust(width) for line in lines]


def _parse_thin(lines: list[str], name: str) -> MazeLayout:
    height, width = (len(lines) - 1) // 2, (len(lines[0]) - 1) // 3
    if len(lines) != 2 * height + 1 or len(lines[0]) != 3 * width + 1 or height * width == 0:
        raise ValueError(
            f"{name} has {len(lines)} lines of up to {len(lines[0])} characters\n"
            "  with thin walls H rows of W cells take 2*H + 1 lines of 3*W + 1 characters, as in\n"
            "  +--+--+\n  |S  G |\n  +--+--+"
        )
    insides = [lines[2 * row + 1][3 * col + 1 : 3 * col + 3] for row in range(height) for col in range(width)]
    marks = "".join(_mark(inside) for inside in insides)
    neighbour = np.full((height * width, 4), -1, np.int32)
    for cell, action, other in inner_sides(height, width):
        row, col = divmod(cell, width)
        if action == RIGHT:
            side = lines[2 * row + 1][3 * col + 3]
        else:
            side = lines[2 * row + 2][3 * col + 1 : 3 * col + 3]
        if not side.strip():
            open_side(neighbour, cell, action, other)
    return MazeLayout(height, width, _only(marks, "S", name), _only(marks, "G", name), neighbour)


def _mark(inside: str) -> str:
    return "S" if "S" in inside else "G" if "G" in inside else "."


def _parse_blocks(lines: list[str], name: str) -> MazeLayout:
    width = max(map(len, lines))
    marks = "".join(line.ljust(width) for line in lines)  # one character for each cell
    neighbour = np.full((len(marks), 4), -1, np.int32)
    for cell, action, other in inner_sides(len(lines), width):
        if marks[cell] != "#" and marks[other] != "#":
            open_side(neighbour, cell, action, other)
    return MazeLayout(len(lines), width, _only(marks, "S", name), _only(marks, "G", name), neighbour)


def _only(marks: str, mark: str, name: str) -> int:
    """Return the cell that carries the mark S or G. Raises ValueError unless there is exactly one."""
    if marks.count(mark) != 1:
        what = {"S": "the start", "G": "the goal"}[mark]
        raise ValueError(
            f"{name} has {marks.count(mark)} cells marked {mark}\n  mark exactly one cell {mark}, {what}"
        )
    return marks.index(mark)


def draw_maze(layout: MazeLayout, path: tuple[int, ...] | list[int] = (), agent: int | None = None) -> str:
    """Draw the maze with thin walls, as `parse_maze` reads it; `path` as dots, the agent's cell as o."""
    inside = {cell: " ." for cell in path}
    inside.update({layout.start: "S ", layout.goal: "G "})
    if agent is not None:
        inside[agent] = inside.get(agent, "  ").strip(" .").ljust(1) + "o"
    lines = ["+" + "--+" * layout.width]
    for first in range(0, layout.cells, layout.width):
        row = range(first, first + layout.width)
        lines.append("|" + "".join(_cell_text(layout, cell, inside) for cell in row))
        lines.append("+" + "".join("  +" if layout.is_open(cell, DOWN) else "--+" for cell in row))
    return "\n".join(lines)


def _cell_text(layout: MazeLayout, cell: int, inside: dict[int, str]) -> str:
    text = "##" if layout.is_solid(cell) else inside.get(cell, "  ")
    return text + (" " if layout.is_open(cell, RIGHT) else "|")
