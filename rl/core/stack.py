"""VectorStack: the last observations of each game, side by side in one vector."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space

from nnlite.arrays import Array
from rl.command.errors import require


class VectorStack(VectorWrapper):
    """Vectors (N, D) float32 -> (N, frames D): the last `frames` of each game, the oldest first.

    A game's first observation fills its stack: nothing of the game before remains. "final_obs" of an ended
    game is the last stack of that game. Raises UsageError unless observations are vectors.
    """

    def __init__(self, env: VectorEnv, frames: int) -> None:
        super().__init__(env)
        space: Any = env.single_observation_space
        is_vector = isinstance(space, spaces.Box) and len(space.shape) == 1
        require(
            is_vector, f"observations {space} cannot be stacked", "give --frame-stack for vectors or screens"
        )
        low, high = (np.tile(bound, frames).astype(np.float32) for bound in (space.low, space.high))
        self.single_observation_space = spaces.Box(low, high, dtype=np.float32)
        self.observation_space = batch_space(self.single_observation_space, env.num_envs)
        self._stack = np.zeros((env.num_envs, frames, *space.shape), np.float32)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Start every game; its first observation fills the stack."""
        observations, info = self.env.reset(seed=seed, options=options)
        self._stack[:] = observations[:, None]
        return self.observe(), info

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Step every game and push its new observation; the class describes the end of a game."""
        observations, rewards, terminated, truncated, info = self.env.step(actions)
        self._stack[:, :-1] = self._stack[:, 1:]
        self._stack[:, -1] = observations
        ended = np.flatnonzero(terminated | truncated)
        if len(ended):
            last = self.observe().reshape(self._stack.shape)
            for game in ended:
                last[game, -1] = info["final_obs"][game]
            info["final_obs"] = last.reshape(len(last), -1)
            self._stack[ended] = observations[ended, None]
        return self.observe(), rewards, terminated, truncated, info

    def get_state(self) -> dict[str, Any]:
        """Return the stacks and the state of the environment."""
        return {"stack": self._stack.copy(), "games": self.env.get_state()}  # type: ignore[attr-defined]

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state of `get_state`."""
        self.env.set_state(state["games"])  # type: ignore[attr-defined]
        self._stack[...] = state["stack"]

    def observe(self) -> Array:
        """Return the current stacks (N, frames D), a new array, without a step."""
        return self._stack.reshape(len(self._stack), -1).copy()
