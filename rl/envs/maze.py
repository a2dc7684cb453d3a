"""The maze: `gymnasium.make("rl:rl/Maze-v0")`, and N walkers moved by one compiled call.

A game starts in the cell S and terminates in the cell G; each step costs 1, so that the best return is minus
the length of the shortest path: -4 in the article's maze.
"""

from __future__ import annotations

import sys
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import InvalidAction, ResetNeeded

from rl.envs import maze_sim as sim
from rl.envs.actions import action_index
from rl.envs.maze_layout import DOWN, RIGHT, MazeLayout, checked
from rl.envs.maze_text import article_maze, draw_maze
from rl.envs.native_vector import NativeVectorEnv, pack_state, reject_options, unpack_state

SIDE = 8  # pixels from wall to wall, one of them the wall
WALL, FLOOR, START, GOAL, WALKER = (
    (20, 20, 20),
    (245, 245, 245),
    (170, 200, 240),
    (170, 225, 170),
    (200, 60, 40),
)
WINDOW_SIDE = 640  # pixels, about


class MazeEnv(gymnasium.Env):
    """One walker in a maze.

    layout       the maze; the article's unless given (rl.envs.maze_text.read_maze,
                 rl.envs.maze_layout.generate_maze)
    observation  Discrete(S): the cell, counted row by row from the upper left
    actions      0 up, 1 right, 2 down, 3 left; into a wall is allowed and moves nothing
    reward       -1 a step
    terminated   the goal is reached
    info         "action_mask" (4,) int8: 1 where no wall is
    render_mode  "rgb_array" makes render() return a picture, "human" shows it in a window, "ansi" gives text

    Time limits are Gymnasium's TimeLimit: 1,000 steps as registered. `get_state` and `set_state` follow
    rl.envs.native_vector.
    """

    metadata = {"render_modes": ["human", "rgb_array", "ansi"], "render_fps": 4}

    def __init__(self, layout: MazeLayout | None = None, render_mode: str | None = None) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"render_mode is {render_mode!r}\n  use 'human', 'rgb_array', 'ansi' or None")
        self.layout = article_maze() if layout is None else checked(layout)
        self.render_mode = render_mode
        self.observation_space = spaces.Discrete(self.layout.cells)
        self.action_space = spaces.Discrete(4)
        self._window: Any = None
        self._states = np.zeros((1, sim.COLUMNS))
        self._action, self._observation, self._rewards = (
            np.zeros(1, np.int64),
            np.zeros(1, np.int64),
            np.zeros(1),
        )
        self._terminated, self._truncated = np.zeros(1, np.bool_), np.zeros(1, np.bool_)
        self._playing = False

    @property
    def cell(self) -> int:
        """Where the walker is."""
        return int(self._states[0, sim.CELL])

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Back to the start. Raises ValueError for options: there are none."""
        reject_options(options)
        super().reset(seed=seed)
        self._states[0] = self.layout.start, 0
        self._playing = True
        if self.render_mode == "human":
            self.render()
        return self.cell, self._info()

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """One step. Raises InvalidAction for another action than 0 to 3, ResetNeeded outside a game."""
        if not self._playing:
            raise ResetNeeded(
                "no game is on: call reset() before step(), and again after a game has terminated"
            )
        self._action[0] = action_index(action)
        events = sim.step_games(
            self.layout.neighbour,
            self.layout.goal,
            self._states,
            self._action,
            sys.maxsize,
            self._observation,
            self._rewards,
            self._terminated,
            self._truncated,
        )
        if events == sim.BAD_ACTION:
            raise InvalidAction(f"the action must be 0 (up), 1 (right), 2 (down) or 3 (left), not {action!r}")
        terminated = bool(self._terminated[0])
        self._playing = not terminated
        if self.render_mode == "human":
            self.render()
        return self.cell, -1.0, terminated, False, self._info()

    def _info(self) -> dict[str, Any]:
        return {"action_mask": (self.layout.neighbour[self.cell] >= 0).astype(np.int8)}

    def render(self) -> np.ndarray | str | None:
        """The picture (8 H + 1, 8 W + 1, 3) uint8, the text, or None after showing it in the window."""
        if self.render_mode == "ansi":
            return draw_maze(self.layout, agent=self.cell)
        if self.render_mode is None:
            return None
        picture = paint(self.layout, self.cell)
        if self.render_mode == "rgb_array":
            return picture
        if self._window is None:
            from rl.envs.window import Window  # pygame is imported only for a window

            scale = max(1, WINDOW_SIDE // max(picture.shape))
            self._window = Window(
                "Maze", picture.shape[0], picture.shape[1], scale, self.metadata["render_fps"]
            )
        self._window.show(picture)
        return None

    def close(self) -> None:
        if self._window is not None:
            self._window.close()
            self._window = None

    def get_state(self) -> dict[str, Any]:
        """Everything that decides how the game goes on."""
        return pack_state(self._states, self.np_random)

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned."""
        unpack_state(state, self._states, self.np_random)
        self._playing = self.cell != self.layout.goal


class MazeVectorEnv(NativeVectorEnv):
    """N walkers in the same maze; observations (N,) int64. Everything else: rl.envs.native_vector."""

    def __init__(
        self, num_envs: int = 1, max_episode_steps: int | None = None, layout: MazeLayout | None = None
    ) -> None:
        self.layout = article_maze() if layout is None else checked(layout)
        cells, actions = spaces.Discrete(self.layout.cells), spaces.Discrete(4)
        super().__init__(num_envs, max_episode_steps, cells, actions, sim.COLUMNS)

    def step_games(self, *arrays: Any) -> int:
        return sim.step_games(self.layout.neighbour, self.layout.goal, *arrays)

    def start_games(self, games: np.ndarray | slice) -> None:
        self.states[games] = self.layout.start, 0

    def observe(self, games: np.ndarray | slice = slice(None)) -> np.ndarray:
        return self.states[games, sim.CELL].astype(np.int64)


def paint(layout: MazeLayout, walker: int | None = None) -> np.ndarray:
    """The maze from above, (8 H + 1, 8 W + 1, 3) uint8."""
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
