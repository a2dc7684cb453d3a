"""N games of Gymnasium's CartPole at once, compiled: `make_vector("CartPole-v1", 8)`."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from rl.envs import cartpole_sim as sim
from rl.envs.native_vector import NativeVectorEnv


class CartPoleVectorEnv(NativeVectorEnv):
    """Gymnasium's CartPole, N games moved by one compiled call; observations (N, 4) float32, rewards 1 per
    step.

    num_envs           N
    max_episode_steps  200 makes it CartPole-v0, 500 CartPole-v1; None lets games run until the pole falls

    The terminal step is worth 1 too, as in Gymnasium. Everything else is the protocol of
    rl.envs.native_vector.
    """

    step_games = staticmethod(sim.step_games)

    def __init__(self, num_envs: int = 1, max_episode_steps: int | None = 500) -> None:
        reach = np.array([2 * sim.MAX_POSITION, np.inf, 2 * sim.MAX_ANGLE, np.inf], dtype=np.float32)
        observation_space = spaces.Box(-reach, reach, dtype=np.float32)
        super().__init__(
            num_envs, max_episode_steps, observation_space, spaces.Discrete(sim.ACTIONS), sim.COLUMNS
        )

    def start_games(self, games: np.ndarray | slice) -> None:
        self.states[games, sim.STEPS] = 0
        count = len(self.states[games])
        self.states[games, : sim.STEPS] = self.np_random.uniform(
            -sim.START_REACH, sim.START_REACH, (count, 4)
        )

    def observe(self, games: np.ndarray | slice = slice(None)) -> np.ndarray:
        return self.states[games, : sim.STEPS].astype(np.float32)
