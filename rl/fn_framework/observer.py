"""Observer: shows an environment's states in another form; and the calls of environments old and new.

Gymnasium's environments return (state, info) from `reset` and five values from `step`. An Observer, and an
environment of the old gym, return the state alone and four values.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from rl.command.notes import note

TIME_LIMIT = "TimeLimit.truncated"  # in `info` of an episode's last step, as in the old gym


class Observer:
    """An environment whose states a subclass transforms, for a network to read.

    env  Gymnasium's, of the old gym, or another Observer
    """

    def __init__(self, env: Any) -> None:
        self._env = env

    @property
    def action_space(self) -> Any:
        """The environment's actions."""
        return self._env.action_space

    @property
    def observation_space(self) -> Any:
        """The environment's own states, before `transform`."""
        return self._env.observation_space

    def reset(self) -> Any:
        """Start a game; return its first state."""
        return self.transform(start(self._env))

    def render(self) -> None:
        """Show the game."""
        show(self._env)

    def step(self, action: Any) -> tuple[Any, float, bool, dict[str, Any]]:
        """Take an action; return the next state, the reward, whether the episode has ended, and `info`."""
        state, reward, done, info = advance(self._env, action)
        return self.transform(state), reward, done, info

    def transform(self, state: Any) -> Any:
        """Return the state in the form that the agent reads."""
        raise NotImplementedError(f"{type(self).__name__} has no transform")


def start(env: Any) -> Any:
    """Start a game; return its first state."""
    answer = env.reset()
    is_new = isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[1], dict)
    return answer[0] if is_new else answer


def advance(env: Any, action: Any) -> tuple[Any, float, bool, dict[str, Any]]:
    """Take an action; return (state, reward, done, info). Gymnasium's last info gets TIME_LIMIT.

    Raises ValueError unless the environment returns four values or five.
    """
    answer = env.step(action)
    if len(answer) not in (4, 5):
        raise ValueError(f"step returned {len(answer)} values; give state, reward, done and info")
    if len(answer) == 4:
        return answer
    state, reward, terminated, truncated, info = answer
    done = bool(terminated or truncated)
    return state, reward, done, {**info, TIME_LIMIT: not terminated} if done else info


def show(env: Any) -> None:
    """Show the game, unless it cannot be shown, or a window shows every step by itself."""
    if not isinstance(env, gymnasium.Env) or env.render_mode not in (None, "human"):
        env.render()


def expect_pictures(env: Any) -> None:
    """Note that nothing will be shown if Gymnasium's environment was made without a render mode."""
    while isinstance(env, Observer) and type(env).render is Observer.render:
        env = env._env
    if isinstance(env, gymnasium.Env) and env.render_mode is None:
        note('nothing is shown; make the environment with render_mode="human" to see it')


def seed_environment(env: Any, rng: np.random.Generator) -> None:
    """Seed the Gymnasium environment under all Observers; another one seeds itself."""
    while isinstance(env, Observer):
        env = env._env
    if isinstance(env, gymnasium.Env):
        env.reset(seed=int(rng.integers(2**31)))
