"""Small games with known numbers."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv


class Game(gymnasium.Env):
    """Two actions, an end after `length` steps; a subclass says what is shown after t steps and paid.

    cut  the end is that of a time limit
    """

    observation_space: spaces.Space = spaces.Box(0, 999, (1,), np.float32)
    action_space = spaces.Discrete(2)
    length, cut = 10, False

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return self.show(), {}

    def step(self, action):
        self.t += 1
        over = self.t == self.length
        return self.show(), self.pay(action), over and not self.cut, over and self.cut, {}

    def show(self) -> Any:
        return np.array([self.t], np.float32)

    def pay(self, action) -> float:
        return 0.0


def vector_of(*makers: Any) -> SyncVectorEnv:
    """Games that restart in the step that ends them."""
    return SyncVectorEnv(list(makers), autoreset_mode=AutoresetMode.SAME_STEP)
