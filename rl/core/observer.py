"""Observers: wrappers that turn observations of an environment into arrays for a network.

Articles 6 and 8 have a CatcherObserver for one game. This one wraps N games and works for any screen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space
from nnlite_ext import _frames

from nnlite.arrays import Array
from rl.command.errors import UsageError, require
from rl.core.encoders import FlatObserver, NumberObserver, OneHotObserver, is_flat
from rl.core.stack import VectorStack
from rl.envs.make import make_vector

Observe = Callable[[VectorEnv], VectorEnv]
SCREENS = 4  # screens in a stack, as in the articles


class ScreenObserver(VectorWrapper):
    """Screens (N, H, W, 3) or (N, H, W, 1) of bytes -> (N, height, width, frames) of bytes.

    Converts to grey (luminance, ITU-R 601), resizes to height x width (nearest neighbour), and stacks the
    last `frames` screens, the oldest first. A game's first screen fills its stack: no frame of the game
    before remains.

    "final_obs" of an ended game is the last stack of that game. Raises ValueError unless screens are bytes.
    """

    def __init__(self, env: VectorEnv, width: int = 80, height: int = 80, frames: int = SCREENS) -> None:
        super().__init__(env)
        screen: Any = env.single_observation_space
        if not is_screen(screen):
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
        """Start every game; its first screen fills the stack."""
        screens, info = self.env.reset(seed=seed, options=options)
        self._fresh[:] = 1
        self._push(screens, self._fresh, self._stack)
        return self._stack.copy(), info

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Step every game and push its new screen; the class describes the end of a game."""
        screens, rewards, terminated, truncated, info = self.env.step(actions)
        np.logical_or(terminated, truncated, out=self._fresh.view(bool))
        if self._fresh.any():
            info["final_obs"] = self._last_stacks(info["final_obs"])
        self._push(screens, self._fresh, self._stack)
        return self._stack.copy(), rewards, terminated, truncated, info

    def _last_stacks(self, screens: Any) -> Array:
        """Return the stacks (N, height, width, frames) with these last screens pushed.

        Rows of games that did not end are undefined.
        """
        if screens.dtype == object:  # Gymnasium's SyncVectorEnv gives None for games that did not end
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
        """Return the stacks and the state of the environment."""
        return {"stack": self._stack.copy(), "games": self.env.get_state()}  # type: ignore[attr-defined]

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state of `get_state`."""
        self.env.set_state(state["games"])  # type: ignore[attr-defined]
        self._stack[...] = state["stack"]

    def observe(self) -> Array:
        """Return the current observations, without a step."""
        return self._stack.copy()


def observe(envs: VectorEnv, frame_stack: int = 0) -> VectorEnv:
    """Wrap an environment so that a network can read its observations.

    Screens get a ScreenObserver, labels a OneHotObserver, numbers other than bytes and float32 a
    NumberObserver, and vectors in a Dict or Tuple a FlatObserver. Other observations stay unchanged.

    frame_stack  observations that the network sees at once; 0 = SCREENS of screens, 1 of others
    """
    if is_screen(envs.single_observation_space):
        return ScreenObserver(envs, frames=frame_stack or SCREENS)
    encoded = encode(envs)
    return VectorStack(encoded, frame_stack) if frame_stack > 1 else encoded


def stacking(observer: Observe, frame_stack: int) -> Observe:
    """Return `observe` with this frame_stack, or a user's own observer, which stacks itself if at all."""
    usual, what = observer is observe, "frame_stack is given, and an observer of your own"
    require(usual or not frame_stack, what, "stack in the observer")
    return partial(observe, frame_stack=frame_stack) if usual else observer


def encode(envs: VectorEnv) -> VectorEnv:
    """Wrap an environment whose observations are no screens, as `observe` says."""
    space = envs.single_observation_space
    try:
        if isinstance(space, spaces.Discrete):
            return OneHotObserver(envs)
        if is_flat(space):
            return FlatObserver(envs)
    except (ValueError, MemoryError, OverflowError) as problem:
        what = f"observations are {space}, too many values for one-hot vectors"
        raise UsageError(what, "show them in fewer numbers, in a Box for example") from problem
    plain = not isinstance(space, spaces.Box) or space.dtype in (np.uint8, np.float32)
    return envs if plain else NumberObserver(envs)


def make_observed(
    env_id: str, num_envs: int, max_episode_steps: int = 0, frame_stack: int = 0, **options: Any
) -> VectorEnv:
    """Make N games with an observer.

    max_episode_steps  time limit of a game; 0 keeps the environment's own
    frame_stack        see observe
    options            further arguments of make_vector
    """
    envs = make_vector(env_id, num_envs, max_episode_steps=max_episode_steps or None, **options)
    return observe(envs, frame_stack)


def is_screen(space: spaces.Space[Any]) -> bool:
    """Return whether observations are screens: bytes (H, W, 3) or (H, W, 1)."""
    shape = space.shape or ()
    is_bytes = isinstance(space, spaces.Box) and space.dtype == np.uint8
    return is_bytes and len(shape) == 3 and shape[2] in (1, 3)


def nearest(size: int, wanted: int) -> Array:
    """Return the source index of each of `wanted` pixels along an axis of `size` pixels.

    It is the pixel nearest to the centre: floor((i + 1/2) size / wanted).
    """
    return ((np.arange(wanted) * 2 + 1) * size // (2 * wanted)).astype(np.intp)
