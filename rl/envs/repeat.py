"""ActionRepeat: one action lasts several steps of the game."""

from __future__ import annotations

from typing import Any

import gymnasium

from rl.envs.faults import Env


class ActionRepeat(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Repeats each action `times` times, or until the game ends; the reward is the sum.

    A time limit inside counts the game's own steps.
    """

    def __init__(self, env: Env, times: int) -> None:
        super().__init__(env)
        self.times = times

    def step(self, action: Any) -> Any:
        observation, total, terminated, truncated, info = self.env.step(action)
        for _ in range(self.times - 1):
            if terminated or truncated:
                break
            observation, reward, terminated, truncated, info = self.env.step(action)
            total = float(total) + float(reward)
        return observation, total, terminated, truncated, info


def repeated(env: Env, times: int) -> Env:
    """Return the game with each action repeated `times` times; once is the game itself."""
    return env if times == 1 else ActionRepeat(env, times)
