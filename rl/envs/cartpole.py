"""N games of Gymnasium's CartPole at once, compiled: `make_vector("CartPole-v1", 8)`."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from nnlite.arrays import Array
from rl.envs import cartpole_sim as sim
from rl.envs.native_vector import NativeVectorEnv


class CartPoleVectorEnv(NativeVectorEnv):
    """Gymnasium's CartPole, N games moved by one compiled call; observations (N, 4) float32.

    num_envs           N
    max_episode_steps  200 makes it CartPole-v0, 500 CartPole-v1; None: games run until the pole falls

    Every step is worth 1, the terminal one too, as in Gymnasium. Everything else is the protocol of
    rl.envs.native_vector.
    """

    metadata = {**NativeVectorEnv.metadata, "action_names": ("left", "right")}
    step_games = staticmethod(sim.step_games)

    def __init__(self, num_envs: int = 1, max_episode_steps: int | None = 500) -> None:
        reach = np.array([2 * sim.MAX_POSITION, np.inf, 2 * sim.MAX_ANGLE, np.inf], dtype=np.float32)
        cart_and_pole = spaces.Box(-reach, reach, dtype=np.float32)
        super().__init__(
            num_envs, max_episode_steps, cart_and_pole, spaces.Discrete(sim.ACTIONS), sim.COLUMNS
        )

    def start_games(self, games: Array | slice) -> None:
        self.states[games, sim.STEPS] = 0
        count = len(self.states[games])
        self.states[games, : sim.STEPS] = self.np_random.uniform(
            -sim.START_REACH, sim.START_REACH, (count, 4)
        )

    def observe(self, games: Array | slice = slice(None)) -> Array:
        return self.states[games, : sim.STEPS].astype(np.float32)
