"""N games of Catcher at once: `gymnasium.make_vec("rl:rl/Catcher-v0", num_envs=8)`."""

from __future__ import annotations

from typing import Any

import numpy as np

from rl.envs import catcher_sim as sim
from rl.envs.catcher import action_space, observation_space
from rl.envs.native_vector import NativeVectorEnv


class CatcherVectorEnv(NativeVectorEnv):
    """N games of Catcher, moved and painted by one compiled call; observations (N, 64, 64, 3) uint8.

    num_envs           N
    max_episode_steps  the time limit in steps; None lets games run until the lives are gone
    render_mode        "rgb_array" or None

    When games end, infos["final_info"] holds their "lives", "catches" and "misses", (N,) int64 each, zero
    elsewhere. Everything else is the protocol of rl.envs.native_vector.
    """

    metadata = {**NativeVectorEnv.metadata, "render_modes": ["rgb_array"], "render_fps": 30}
    step_games = staticmethod(sim.step_games)

    def __init__(
        self, num_envs: int = 1, max_episode_steps: int | None = None, render_mode: str | None = None
    ) -> None:
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode is {render_mode!r}\n  many games at once know 'rgb_array' or None")
        super().__init__(num_envs, max_episode_steps, observation_space(), action_space(), sim.COLUMNS)
        self.render_mode = render_mode

    def start_games(self, games: np.ndarray | slice) -> None:
        sim.start_games(self.states, games, self.np_random)

    def observe(self, games: np.ndarray | slice = slice(None)) -> np.ndarray:
        states = self.states[games]
        screens = np.empty((len(states), *sim.SCREEN_SHAPE), dtype=np.uint8)
        sim.paint_screens(states, screens)
        return screens

    def draw_ahead(self) -> None:
        sim.refill_spawns(self.states, self.np_random)

    def final_info(self, ended: np.ndarray) -> dict[str, np.ndarray]:
        lives = np.where(ended, self.states[:, sim.LIVES_LEFT], 0).astype(np.int64)
        catches = np.where(ended, self.states[:, sim.CATCHES], 0).astype(np.int64)
        counts: dict[str, Any] = {
            "lives": lives,
            "catches": catches,
            "misses": np.where(ended, sim.LIVES - lives, 0),
        }
        return counts | {f"_{name}": ended.copy() for name in counts}

    def render(self) -> tuple[np.ndarray, ...] | None:
        """The N screens as they are now, or None without a render mode."""
        return tuple(self.observe()) if self.render_mode == "rgb_array" else None
