"""A corridor of eight cells, the smallest task in which the reward comes at the end."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from nnlite.arrays import Array

CELLS = 8
STEP, GOAL = -0.01, 1.0  # rewards; the best return is 6 * STEP + GOAL = 0.94


class Corridor(gymnasium.Env[Any, Any]):
    """Walk from the left end to the right end. Observations are one-hot vectors (CELLS,) float32."""

    metadata = {"render_modes": [], "action_names": ("left", "right")}

    def __init__(self) -> None:
        self.observation_space = gymnasium.spaces.Box(0, 1, (CELLS,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(2)
        self.cell = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Array, dict[str, Any]]:
        super().reset(seed=seed)
        self.cell = 0
        return self._observation(), {}

    def step(self, action: int) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        self.cell = max(self.cell + (1 if action else -1), 0)
        arrived = self.cell == CELLS - 1
        return self._observation(), GOAL if arrived else STEP, arrived, False, {}

    def _observation(self) -> Array:
        return np.eye(CELLS, dtype=np.float32)[self.cell]


gymnasium.register("Corridor-v0", "bench.corridor:Corridor", max_episode_steps=50, reward_threshold=0.9)
