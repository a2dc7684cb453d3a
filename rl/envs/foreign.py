"""Environments of other packages, with observations that our networks read: vectors, or images (H, W, C)."""

from __future__ import annotations

import importlib.util
import warnings
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.wrappers import AtariPreprocessing, FrameStackObservation, TransformObservation

from rl.envs.faults import Env
from rl.envs.guarded import guard

ATARI = "ALE/"
FRAME_SKIP = 4  # frames that an action lasts, as usual
STACK = 4  # screens that the network sees: the last of those it acted on
DEEPEST = 4  # a first axis up to this size is read as channels


def register_atari() -> None:
    """Register the ids ALE/... Raises ModuleNotFoundError where ale-py is missing."""
    if importlib.util.find_spec("ale_py") is None:
        raise ModuleNotFoundError(
            "the Atari games come with ale-py, which is not installed: pip install 'nnlite-rl[atari]'"
        )
    ale = importlib.import_module("ale_py")
    ale.ALEInterface.setLoggerMode(ale.LoggerMode.Error)  # no greeting for every game


def make_foreign(env_id: str, **kwargs: Any) -> Env:
    """Make one environment with readable observations.

    Atari games come with the usual preprocessing by Gymnasium (up to 30 idle steps at the start, every 4th
    frame, the brighter of two, grey, 84x84) and the last 4 screens.
    """
    if not env_id.startswith(ATARI):
        return readable(_make(env_id, **kwargs))
    if kwargs.get("max_episode_steps"):
        kwargs["max_episode_steps"] *= FRAME_SKIP  # gymnasium.make counts the game's frames
    game = AtariPreprocessing(_make(env_id, frameskip=1, **kwargs), frame_skip=FRAME_SKIP)
    return readable(FrameStackObservation(game, STACK))


def _make(env_id: str, **kwargs: Any) -> Env:
    """Make one environment with guards in place of Gymnasium's checker; metadata may lack render_modes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*render_modes")
        return guard(gymnasium.make(env_id, disable_env_checker=True, **kwargs))


def readable(env: Env) -> Env:
    """Show images of bytes as (H, W, C): add a channel to (H, W), move the first axis of (C, H, W) last."""
    space = env.observation_space
    if not isinstance(space, spaces.Box) or space.dtype != np.uint8:
        return env
    if len(space.shape) == 2:
        return _transform(env, space, grey_as_image)
    if len(space.shape) == 3 and space.shape[0] <= DEEPEST < min(space.shape[1:]):
        return _transform(env, space, channels_last)
    return env


def grey_as_image(screen: Any) -> Any:
    """Turn (H, W) into (H, W, 1)."""
    return np.asarray(screen)[:, :, None]


def channels_last(screens: Any) -> Any:
    """Turn (C, H, W) into (H, W, C)."""
    return np.ascontiguousarray(np.moveaxis(np.asarray(screens), 0, -1))


def _transform(env: Env, space: spaces.Box, change: Any) -> Env:
    return TransformObservation(
        env, change, spaces.Box(change(space.low), change(space.high), dtype=np.uint8)
    )
