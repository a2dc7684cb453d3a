"""Observer: turns what an environment shows into what a network reads.

Articles 6 and 8 call it CatcherObserver and wrap one game; here it wraps N games at once and works for any
screen.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space
from nnlite_ext import _frames

from nnlite.arrays import Array
from rl.envs.make import make_vector


class ScreenObserver(VectorWrapper):
    """Screens (N, H, W, 3) or (N, H, W, 1) of bytes -> (N, height, width, frames) of bytes.

    Luminance (ITU-R 601), nearest neighbour to height x width, the last `frames` screens with the oldest
    first. At a game's first screen the stack holds that screen only: nothing is left of the game before.

    "final_obs" of a game that ends is the real last stack of that game. Raises ValueError for screens that
    are not bytes.
    """

    def __init__(self, env: VectorEnv, width: int = 80, height: int = 80, frames: int = 4) -> None:
        super().__init__(env)
        screen = env.single_observation_space
        if not (
            isinstance(screen, spaces.Box)
            and screen.dtype == np.uint8
            and len(screen.shape) == 3
            and screen.shape[2] in (1, 3)
        ):
            raise ValueError(
                f"a screen is (H, W, 3) or (H, W, 1) bytes, not {screen}\n"
                "  use an environment that shows its screen"
            )
        self.single_observation_space = spaces.Box(0, 255, (height, width, frames), np.uint8)
        self.observation_space = batch_space(self.single_observation_space, env.num_envs)
        self._rows = nearest(screen.shape[0], height)
        self._columns = nearest(screen.shape[1], width)
        self._stack = np.zeros((env.num_envs, height, width, frames), np.uint8)
        self._fresh = np.ones(env.num_envs, np.uint8)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Start every game; its first screen fills its stack."""
        screens, info = self.env.reset(seed=seed, options=options)
        self._fresh[:] = 1
        self._push(screens, self._fresh, self._stack)
        return self._stack.copy(), info

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Step every game and push its new screen; see the class for the ends of games."""
        screens, rewards, terminated, truncated, info = self.env.step(actions)
        np.logical_or(terminated, truncated, out=self._fresh.view(bool))
        if self._fresh.any():
            info["final_obs"] = self._last_stacks(info["final_obs"])
        self._push(screens, self._fresh, self._stack)
        return self._stack.copy(), rewards, terminated, truncated, info

    def _last_stacks(self, screens: Any) -> Array:
        """(N, height, width, frames): the stacks that end with these last screens; only rows of ended games
        mean anything.
        """
        if screens.dtype == object:  # Gymnasium's SyncVectorEnv: None for games that go on
            blank = np.zeros(self.env.single_observation_space.shape or (), np.uint8)
            screens = np.stack([blank if screen is None else screen for screen in screens])
        stacks = self._stack.copy()
        self._push(screens, np.zeros_like(self._fresh), stacks)
        return stacks

    def _push(self, screens: Array, fresh: Array, stack: Array) -> None:
        expected = self.env.observation_space
        if screens.dtype != np.uint8 or screens.shape != expected.shape:
            raise ValueError(
                f"the environment announced screens uint8{expected.shape}, but gave "
                f"{screens.dtype}{screens.shape}"
            )
        _frames.push(np.ascontiguousarray(screens), self._rows, self._columns, fresh, stack)

    def get_state(self) -> dict[str, Any]:
        """The stacks, and the state of the games behind them."""
        return {"stack": self._stack.copy(), "games": self.env.get_state()}  # type: ignore[attr-defined]

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what get_state gave."""
        self.env.set_state(state["games"])  # type: ignore[attr-defined]
        self._stack[...] = state["stack"]

    def observe(self) -> Array:
        """What the network would read now."""
        return self._stack.copy()


class OneHotObserver(VectorWrapper):
    """Discrete observations (N,) -> one-hot rows (N, n) float32: a network reads no labels."""

    def __init__(self, env: VectorEnv) -> None:
        super().__init__(env)
        self._rows = np.eye(int(env.single_observation_space.n), dtype=np.float32)  # type: ignore[attr-defined]
        self.single_observation_space = spaces.Box(0, 1, (len(self._rows),), np.float32)
        self.observation_space = batch_space(self.single_observation_space, env.num_envs)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        observations, info = self.env.reset(seed=seed, options=options)
        return self._rows[observations], info

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        observations, rewards, terminated, truncated, info = self.env.step(actions)
        if "final_obs" in info:
            last = [0 if label is None else int(label) for label in info["final_obs"]]
            info["final_obs"] = self._rows[last]
        return self._rows[observations], rewards, terminated, truncated, info

    def encode(self, labels: Any) -> Array:
        """One-hot rows (..., n) of labels (...)."""
        return self._rows[np.asarray(labels)]

    def get_state(self) -> dict[str, Any]:
        """The state of the games behind."""
        return self.env.get_state()  # type: ignore[attr-defined]

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what get_state gave."""
        self.env.set_state(state)  # type: ignore[attr-defined]

    def observe(self) -> Array:
        """What the network would read now."""
        return self._rows[self.env.observe()]  # type: ignore[attr-defined]


def observe(envs: VectorEnv) -> VectorEnv:
    """Wrap games so that a network can read them.

    Screens go through the ScreenObserver, labels become one-hot, everything else stays as it is.
    """
    space = envs.single_observation_space
    if (
        isinstance(space, spaces.Box)
        and space.dtype == np.uint8
        and len(space.shape) == 3
        and space.shape[2] in (1, 3)
    ):
        return ScreenObserver(envs)
    return OneHotObserver(envs) if isinstance(space, spaces.Discrete) else envs


def make_observed(env_id: str, num_envs: int, max_episode_steps: int = 0, **options: Any) -> VectorEnv:
    """Make N games as the network reads them; max_episode_steps 0 keeps the environment's own limit."""
    return observe(make_vector(env_id, num_envs, max_episode_steps=max_episode_steps or None, **options))


def nearest(size: int, wanted: int) -> Array:
    """The source index of each of `wanted` pixels along an axis of `size`: the centre's nearest, floor((i +
    1/2) size / wanted).
    """
    return ((np.arange(wanted) * 2 + 1) * size // (2 * wanted)).astype(np.intp)
