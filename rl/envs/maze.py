"""The maze: `gymnasium.make("rl:rl/Maze-v0")`, and N walkers moved by one compiled call.

A game starts in the cell S and terminates in the cell G. Each step costs 1, so that the best return is minus
the length of the shortest path: -4 in the article's maze.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from nnlite.arrays import Array
from rl.envs import maze_sim as sim
from rl.envs.maze_layout import ACTION_NAMES, DOWN, RIGHT, MazeLayout, check_layout
from rl.envs.maze_text import article_maze, draw_maze
from rl.envs.native_env import NativeEnv
from rl.envs.native_vector import NativeVectorEnv

SIDE = 8  # pixels from wall to wall, one of them the wall
WALL, FLOOR, WALKER = (20, 20, 20), (245, 245, 245), (200, 60, 40)
START, GOAL = (170, 200, 240), (170, 225, 170)


class MazeVectorEnv(NativeVectorEnv):
    """N walkers in the same maze; observations (N,) int64, the cells.

    layout  the maze; the article's unless given

    Everything else: rl.envs.native_vector. Raises ValueError when no path leads to the goal.
    """

    metadata = {**NativeVectorEnv.metadata, "action_names": ACTION_NAMES}

    def __init__(
        self, num_envs: int = 1, max_episode_steps: int | None = None, layout: MazeLayout | None = None
    ) -> None:
        self.layout = article_maze() if layout is None else check_layout(layout)
        cells, actions = spaces.Discrete(self.layout.cells), spaces.Discrete(4)
        super().__init__(num_envs, max_episode_steps, cells, actions, sim.COLUMNS)

    def step_games(self, *arrays: Any) -> int:
        return sim.step_games(self.layout.neighbour, self.layout.goal, *arrays)

    def start_games(self, games: Array | slice) -> None:
        self.states[games] = self.layout.start, 0

    def observe(self, games: Array | slice = slice(None)) -> Array:
        return self.states[games, sim.CELL].astype(np.int64)


class MazeEnv(NativeEnv):
    """One walker in a maze.

    layout       the maze; the article's unless given (rl.envs.maze_text.read_maze,
                 rl.envs.maze_layout.generate_maze)
    observation  Discrete(S): the cell, counted row by row from the upper left
    actions      0 up, 1 right, 2 down, 3 left; a step into a wall is allowed and moves nothing
    reward       -1 a step
    terminated   the goal is reached
    info         "action_mask" (4,) int8: 1 where no wall is

    Registered with a time limit of 1,000 steps. Everything else: rl.envs.native_env. Raises ValueError when
    no path leads to the goal.
    """

    metadata = {
        "action_names": ACTION_NAMES,
        "render_modes": ["human", "rgb_array", "ansi"],
        "render_fps": 4,
    }
    title = "Maze"
    games: MazeVectorEnv

    def __init__(self, layout: MazeLayout | None = None, render_mode: str | None = None) -> None:
        super().__init__(MazeVectorEnv(1, layout=layout), render_mode)
        self.layout = self.games.layout

    @property
    def cell(self) -> int:
        """The walker's cell."""
        return int(self.games.states[0, sim.CELL])

    def info(self, action: int | None) -> dict[str, Any]:
        return {"action_mask": (self.layout.neighbour[self.cell] >= 0).astype(np.int8)}

    def is_over(self) -> bool:
        return self.cell == self.layout.goal

    def picture(self) -> Array:
        return paint(self.layout, self.cell)

    def text(self) -> str:
        return draw_maze(self.layout, agent=self.cell)


def paint(layout: MazeLayout, walker: int | None = None) -> Array:
    """Paint the maze from above, (8 H + 1, 8 W + 1, 3) uint8."""
    picture = np.full((SIDE * layout.height + 1, SIDE * layout.width + 1, 3), FLOOR, np.uint8)
    picture[0], picture[:, 0], picture[-1], picture[:, -1] = WALL, WALL, WALL, WALL
    for cell in range(layout.cells):
        y, x = (SIDE * k for k in divmod(cell, layout.width))
        inside = picture[y + 1 : y + SIDE, x + 1 : x + SIDE]
        if layout.is_solid(cell):
            inside[:] = WALL
        elif cell in (layout.start, layout.goal):
            inside[:] = START if cell == layout.start else GOAL
        if cell == walker:
            inside[1:-1, 1:-1] = WALKER
        if not layout.is_open(cell, DOWN):
            picture[y + SIDE, x : x + SIDE + 1] = WALL
        if not layout.is_open(cell, RIGHT):
            picture[y : y + SIDE + 1, x + SIDE] = WALL
    return picture
