"""NativeEnv: one game over a compiled simulator, as a Gymnasium environment.

The simulator is a NativeVectorEnv of one game (rl.envs.native_vector), without its time limit and its
restarts. Time limits are Gymnasium's TimeLimit, whose count is not part of the saved state.
"""

from __future__ import annotations

import operator
import sys
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded

from nnlite.arrays import Array
from rl.envs.native_vector import NativeVectorEnv, reject_options

NO_LIMIT = sys.maxsize  # steps
WINDOW_SIDE = 512  # pixels of a window's longer side, about


class NativeEnv(gymnasium.Env[Any, Any]):
    """One game of a simulator.

    games        the simulator, a NativeVectorEnv of one game
    render_mode  one of metadata["render_modes"], or None: "rgb_array" makes render() return picture(), "ansi"
                 text(); "human" shows picture() in a window

    A subclass defines `title`, `picture`, `info`, and where they apply `text` and `is_over`.
    Raises ValueError for another render mode.
    """

    title: ClassVar[str]  # of the window

    def __init__(self, games: NativeVectorEnv, render_mode: str | None = None) -> None:
        modes = self.metadata["render_modes"]
        if render_mode not in (None, *modes):
            known = ", ".join(map(repr, modes))
            raise ValueError(f"render_mode is {render_mode!r}\n  use {known} or None")
        self.games = games
        self.render_mode = render_mode
        self.observation_space = games.single_observation_space
        self.action_space = games.single_action_space
        self.games.np_random = self.np_random  # one generator, also for a state that is set before a reset
        self._observations = (1, *(games.single_observation_space.shape or ())), games.observation_space.dtype
        self._rewards, self._ends, self._cuts = np.empty(1), np.empty(1, np.bool_), np.empty(1, np.bool_)
        self._window: Any = None
        self._playing = False

    def picture(self) -> Array:
        """Return the game as (H, W, 3) uint8."""
        raise NotImplementedError

    def text(self) -> str:
        """Return the game as text, for render mode "ansi"."""
        raise NotImplementedError

    def info(self, action: int | None) -> dict[str, Any]:
        """Return the infos of the step that took this action; None: of a reset."""
        return {}

    def is_over(self) -> bool:
        """Return whether the game in `games.states` has terminated."""
        return False

    def observe(self) -> Any:
        """Return the current observation: a fresh array, or an int where the space is Discrete."""
        return _first(self.games.observe())

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start a game. Raises ValueError for options: there are none."""
        reject_options(options)
        super().reset(seed=seed)
        self.games.np_random = self.np_random
        observations, _ = self.games.reset()
        self._playing = True
        if self.render_mode == "human":
            self.render()
        return _first(observations), self.info(None)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Move by one step.

        Raises InvalidAction for an action outside the space, ResetNeeded outside a game.
        """
        if not self._playing:
            raise ResetNeeded(
                "no game is on: call reset() before step(), and again after a game has terminated"
            )
        games = self.games
        observations = np.empty(*self._observations)
        try:
            games.actions[0] = index = operator.index(action)
        except (TypeError, OverflowError):  # no whole number, or none of 64 bits
            games.actions[0] = index = -1  # no action of any game: the kernel refuses it
        events = games.step_games(
            games.states, games.actions, NO_LIMIT, observations, self._rewards, self._ends, self._cuts
        )
        if events:
            games.react(events, action)
        terminated = bool(self._ends[0])
        self._playing = not terminated
        if self.render_mode == "human":
            self.render()
        return _first(observations), float(self._rewards[0]), terminated, False, self.info(index)

    def render(self) -> Any:
        """Return the picture or the text, or None after showing the picture in the window."""
        if self.render_mode is None:
            return None
        if self.render_mode == "ansi":
            return self.text()
        picture = self.picture()
        if self.render_mode == "rgb_array":
            return picture
        if self._window is None:
            self._window = _open_window(self.title, picture, self.metadata["render_fps"])
        self._window.show(picture)
        return None

    def close(self) -> None:
        """Close the window if there is one."""
        if self._window is not None:
            self._window.close()
            self._window = None

    def get_state(self) -> dict[str, Any]:
        """Return everything that the next step depends on; see rl.envs.native_vector."""
        return self.games.get_state()

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue from the result of `get_state`. Raises ValueError when it belongs to another kind."""
        self.games.set_state(state)
        self._playing = not self.is_over()


def _first(observations: Array) -> Any:
    """The observation of the only game: an array, or an int for a Discrete space."""
    return observations[0] if observations.ndim > 1 else int(observations[0])


def _open_window(title: str, picture: Array, fps: int) -> Any:
    from rl.envs.window import Window  # pygame is imported only for a window

    height, width, _ = picture.shape
    return Window(title, height, width, max(1, WINDOW_SIDE // max(height, width)), fps)
