"""Stage: one game of any environment, with a picture of every step."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import SyncVectorEnv, VectorEnv

from nnlite.arrays import Array
from rl.command.errors import ANYTHING, UsageError, summarize
from rl.core.agent import Agent
from rl.core.observer import observe
from rl.envs.actions import action_names
from rl.envs.faults import GivenEnv, name_of, raised
from rl.envs.given import vector_of
from rl.envs.misfit import is_number

USUAL_FPS, FASTEST = 30, 1_000
REMEDY = "use one with rgb_array rendering, or correct what it renders"


class CannotRenderError(UsageError):
    """The environment has no rgb_array rendering, or lacks a package for it."""


@dataclass(frozen=True)
class Moment:
    """A game before an action, and the agent's preferences for the actions."""

    picture: Array  # (H, W, 3) uint8
    observation: Array  # (1, ...) as the network reads it
    preferences: Array  # (A,) float, see Agent.preferences
    action: int  # the action taken; -1 when the game was over
    score: float  # return so far
    game: int  # from 0
    step: int  # of this game


class Camera(gymnasium.Wrapper):
    """Provides the picture after each step, even if the vector environment then restarts the game at once.

    Rendering is slower than most games: a picture is rendered only on request and when a game ends.
    """

    _last: Array | None = None

    def step(self, action: Any) -> Any:
        result = self.env.step(action)
        self._last = self.opening if result[2] or result[3] else None
        return result

    @property
    def picture(self) -> Array:
        """(H, W, 3) uint8 after the last step."""
        return self.opening if self._last is None else self._last

    @property
    def opening(self) -> Array:
        """(H, W, 3) uint8 of the environment now, after a restart if there was one."""
        try:
            picture = np.array(self.env.render())  # a copy: some draw into one array again and again
        except ANYTHING as problem:
            raise CannotRenderError(summarize(raised(self, "render()", problem)), REMEDY) from problem
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or picture.size == 0:
            what = f"the environment {name_of(self)} renders no picture (H, W, 3) of bytes"
            raise CannotRenderError(what, REMEDY)
        return picture


class Stage:
    """One game at a time, as the network reads it and as people see it.

    observation   (1, ...) before the next action
    picture       (H, W, 3) uint8 of the same moment, rendered on request
    score, steps  of the game so far
    over          the game has ended; True until next_game()

    env       as in rl.envs.given; an environment of one's own is made with render_mode="rgb_array"
    observer  wraps it into what the network reads

    Raises CannotRenderError when the environment has no pictures.
    """

    def __init__(
        self,
        env: GivenEnv,
        max_episode_steps: int = 0,
        seed: int | None = None,
        observer: Callable[[VectorEnv], VectorEnv] = observe,
        action_repeat: int = 1,
    ) -> None:
        with hide_display(), showing(name_of(env)):
            games = vector_of(env, 1, max_episode_steps, action_repeat, render_mode="rgb_array")
            self.envs = observer(games)
            try:
                self._open(seed)
            except BaseException:
                self.envs.close()
                raise

    def _open(self, seed: int | None) -> None:
        """Begin the first game and draw it."""
        self.camera = self._install_camera()
        self.fps = frame_rate(self.camera.metadata)
        self.actions = action_names(self.camera)
        self.game = -1
        self.restart(seed)
        self.size = self.picture.shape[:2]

    def _install_camera(self) -> Camera:
        games = self.envs.unwrapped
        if not isinstance(games, SyncVectorEnv) or games.envs[0].render_mode != "rgb_array":
            raise CannotRenderError(f"the environment {name_of(games)} has no rgb_array rendering", REMEDY)
        camera = Camera(games.envs[0])
        games.envs = [camera]
        return camera

    def restart(self, seed: int | None = None) -> None:
        """Begin a new game, even if this one is unfinished."""
        self.observation, _ = self.envs.reset(seed=seed)
        self._begin()

    def _begin(self) -> None:
        self.score, self.steps, self.over = 0.0, 0, False
        self.game += 1

    @property
    def picture(self) -> Array:
        """See the class."""
        return self.camera.picture if self.steps else self.camera.opening

    def step(self, action: int) -> None:
        """Take one step.

        If `over` is then true, `observation` already belongs to the next game: call next_game().
        """
        self.observation, rewards, terminated, truncated, _ = self.envs.step(np.array([action]))
        self.score += float(rewards[0])
        self.steps += 1
        self.over = bool(terminated[0] or truncated[0])

    def next_game(self) -> None:
        """Continue with the game that began when the last one ended."""
        self._begin()

    def close(self) -> None:
        self.envs.close()


def watch(stage: Stage, agent: Agent, games: int, steps: int, every: int = 1) -> Iterator[Moment]:
    """Play greedy games until `games` are over or `steps` are taken.

    Yields a moment every `every` steps, and at the end of each game.
    """
    count = 0
    for index in range(games):
        if index:
            stage.next_game()
        while not stage.over and count < steps:
            observation = stage.observation
            preferences = agent.preferences(observation)[0]
            action = int(preferences.argmax())
            if stage.steps % every == 0:
                yield Moment(
                    stage.picture, observation, preferences, action, stage.score, stage.game, stage.steps
                )
            stage.step(action)
            count += 1
        if not stage.over:
            return
        yield Moment(stage.picture, observation, preferences, -1, stage.score, stage.game, stage.steps)


@contextmanager
def showing(title: str) -> Iterator[None]:
    """Turn what prevents games from being shown into CannotRenderError; a full disk stays an OSError."""
    try:
        yield
    except (CannotRenderError, OSError):
        raise
    except ANYTHING as problem:
        raise CannotRenderError(f"{title} cannot be shown: {summarize(problem)}", REMEDY) from problem


def frame_rate(metadata: Mapping[str, Any]) -> int:
    """Return the pictures a second that an environment asks for, the usual number if it asks for none."""
    asked: Any = metadata.get("render_fps")
    return round(asked) if is_number(asked) and 1 <= asked <= FASTEST else USUAL_FPS


@contextmanager
def hide_display() -> Iterator[None]:
    """Run SDL without display or audio, and silence Gymnasium's upgrade warnings."""
    unseen = {"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy", "PYGAME_HIDE_SUPPORT_PROMPT": "1"}
    shown = _display_is_open()
    before = {name: os.environ.get(name) for name in unseen}
    os.environ.update(unseen)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
        if _display_is_open() and not shown:
            sys.modules["pygame"].display.quit()  # a later window must find the real screen


def _display_is_open() -> bool:
    return "pygame" in sys.modules and bool(sys.modules["pygame"].display.get_init())
