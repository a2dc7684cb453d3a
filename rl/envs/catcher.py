"""Catcher, one game: `gymnasium.make("rl:rl/Catcher-v0")`.

A fruit falls, a paddle of some inertia moves along the bottom of a black 64x64 screen. A caught fruit is
worth +1, a missed one -1 and one of three lives, the end of the last life a further -5. The rules stand in
rl.envs.catcher_sim.

Source: the Catcher of PyGame-Learning-Environment (Tasfi 2016), which this game replays step for step.
"""

from __future__ import annotations

import operator
import sys
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import InvalidAction, ResetNeeded

from rl.envs import catcher_sim as sim
from rl.envs.native_vector import pack_state, reject_options, unpack_state

WINDOW_SCALE = 8  # a pixel of the game on the window


def observation_space() -> spaces.Box:
    """RGB screens, (64, 64, 3) uint8."""
    return spaces.Box(0, 255, sim.SCREEN_SHAPE, np.uint8)


def action_space() -> spaces.Discrete:
    """0 left, 1 right, 2 stay."""
    return spaces.Discrete(sim.ACTIONS)


class CatcherEnv(gymnasium.Env):
    """One game of Catcher.

    observation  (64, 64, 3) uint8, the screen; a fresh array every step
    actions      0 left, 1 right, 2 stay
    reward       +1 a catch, -1 a miss, -6 the miss that takes the last life
    terminated   no lives are left; a game that ends so returns its catches - 8
    info         "lives", "catches" and "misses" so far
    render_mode  "human" opens a window, "rgb_array" makes render() return the screen, None neither

    Time limits are Gymnasium's TimeLimit: 10,000 steps as registered, or `gymnasium.make(...,
    max_episode_steps=...)`. `reset` takes a seed and no options. `get_state` and `set_state` follow
    rl.envs.native_vector; the count of a TimeLimit around this environment is not part of the state.
    """

    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": 30}

    def __init__(self, render_mode: str | None = None) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"render_mode is {render_mode!r}\n  use 'human', 'rgb_array' or None")
        self.render_mode = render_mode
        self.observation_space = observation_space()
        self.action_space = action_space()
        self._window: Any = None
        self._states = np.zeros((1, sim.COLUMNS))
        self._actions = np.zeros(1, dtype=np.int64)
        self._rewards = np.zeros(1)
        self._terminated = np.zeros(1, dtype=np.bool_)
        self._truncated = np.zeros(1, dtype=np.bool_)
        self._playing = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start a game. Raises ValueError for options: there are none."""
        reject_options(options)
        super().reset(seed=seed)
        sim.start_games(self._states, slice(None), self.np_random)
        self._playing = True
        if self.render_mode == "human":
            self.render()
        return self.observe(), self._info()

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Move by one step.

        Raises InvalidAction for another action than 0, 1, 2, ResetNeeded outside a game.
        """
        if not self._playing:
            raise ResetNeeded(
                "no game is on: call reset() before step(), and again after a game has terminated"
            )
        screen = np.empty(sim.SCREEN_SHAPE, dtype=np.uint8)
        events = self._move(action, screen)
        if events == sim.BAD_ACTION:
            raise InvalidAction(f"the action must be 0 (left), 1 (right) or 2 (stay), not {action!r}")
        if events & sim.SPAWNED:
            sim.refill_spawns(self._states, self.np_random)
        terminated = bool(self._terminated[0])
        self._playing = not terminated
        if self.render_mode == "human":
            self.render()
        return screen, float(self._rewards[0]), terminated, False, self._info()

    def _move(self, action: int, screen: np.ndarray) -> int:
        try:
            self._actions[0] = operator.index(action)
        except (TypeError, OverflowError):
            return sim.BAD_ACTION
        return sim.step_games(
            self._states,
            self._actions,
            sys.maxsize,
            screen[None],
            self._rewards,
            self._terminated,
            self._truncated,
        )

    def observe(self) -> np.ndarray:
        """The screen as it is now, a fresh array (64, 64, 3) uint8."""
        screen = np.empty(sim.SCREEN_SHAPE, dtype=np.uint8)
        sim.paint_screens(self._states, screen[None])
        return screen

    def _info(self) -> dict[str, Any]:
        lives, catches = self._states[0, sim.LIVES_LEFT : sim.CATCHES + 1].tolist()
        return {"lives": int(lives), "catches": int(catches), "misses": sim.LIVES - int(lives)}

    def render(self) -> np.ndarray | None:
        """The screen ("rgb_array"), or None after showing it on the window ("human")."""
        if self.render_mode == "human":
            if self._window is None:
                self._window = _open_window()
            self._window.show(self.observe())
            return None
        return self.observe() if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        if self._window is not None:
            self._window.close()
            self._window = None

    def get_state(self) -> dict[str, Any]:
        """Everything that decides how the game goes on."""
        return pack_state(self._states, self.np_random)

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned; `observe()` gives the screen that belongs to it."""
        unpack_state(state, self._states, self.np_random)
        self._playing = bool(self._states[0, sim.LIVES_LEFT] > 0)


def _open_window() -> Any:
    from rl.envs.window import Window  # pygame is imported only for a window

    return Window("Catcher", sim.SIZE, sim.SIZE, WINDOW_SCALE, CatcherEnv.metadata["render_fps"])
