"""One environment of others, so that its observations are what our networks read: vectors, or images (H, W,
C) of bytes.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.wrappers import AtariPreprocessing, FrameStackObservation, TransformObservation

ATARI = "ALE/"
FRAME_SKIP, STACK = (
    4,
    4,
)  # the usual ones: an action lasts 4 frames, the network sees the last 4 of those it acted on
DEEPEST = 4  # the first axis of an image is taken for channels up to here


def register_atari() -> None:
    """Make the ids ALE/... known. Raises ModuleNotFoundError where ale-py is missing."""
    if importlib.util.find_spec("ale_py") is None:
        raise ModuleNotFoundError(
            "the Atari games come with ale-py, which is not installed: pip install 'nnlite-rl[atari]'"
        )
    ale = importlib.import_module("ale_py")
    ale.ALEInterface.setLoggerMode(ale.LoggerMode.Error)  # no greeting for every game


def make_foreign(env_id: str, **kwargs: Any) -> gymnasium.Env[Any, Any]:
    """gymnasium.make(env_id, **kwargs), readable.

    Atari games come with Gymnasium's own usual preprocessing (up to 30 steps of doing nothing at the start,
    every 4th frame, the brighter of two, grey, 84x84) and the last 4 screens."""
    if not env_id.startswith(ATARI):
        return readable(gymnasium.make(env_id, **kwargs))
    if kwargs.get("max_episode_steps"):
        kwargs["max_episode_steps"] *= FRAME_SKIP  # gymnasium.make counts the game's frames
    game = AtariPreprocessing(gymnasium.make(env_id, frameskip=1, **kwargs), frame_skip=FRAME_SKIP)
    return readable(FrameStackObservation(game, STACK))


def readable(env: gymnasium.Env[Any, Any]) -> gymnasium.Env[Any, Any]:
    """Images of bytes as (H, W, C): grey ones (H, W) get their channel, stacks and channels that come first
    go last.
    """
    space = env.observation_space
    if not isinstance(space, spaces.Box) or space.dtype != np.uint8:
        return env
    if len(space.shape) == 2:
        return _transformed(env, space, grey_as_image)
    if len(space.shape) == 3 and space.shape[0] <= DEEPEST < min(space.shape[1:]):
        return _transformed(env, space, channels_last)
    return env


def grey_as_image(screen: Any) -> Any:
    """(H, W) -> (H, W, 1)"""
    return np.asarray(screen)[:, :, None]


def channels_last(screens: Any) -> Any:
    """(C, H, W) -> (H, W, C)"""
    return np.ascontiguousarray(np.moveaxis(np.asarray(screens), 0, -1))


def _transformed(env: gymnasium.Env[Any, Any], space: spaces.Box, change: Any) -> gymnasium.Env[Any, Any]:
    return TransformObservation(
        env, change, spaces.Box(change(space.low), change(space.high), dtype=np.uint8)
    )
