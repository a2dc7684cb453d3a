"""Catcher: `gymnasium.make("rl:rl/Catcher-v0")`, and N games at once with `gymnasium.make_vec`.

A fruit falls, a paddle with some inertia moves along the bottom of a black 64x64 screen. A caught fruit is
worth +1. A missed one costs 1 and one of three lives, the last life a further 5. rl.envs.catcher_sim has the
rules.

Source: the Catcher of PyGame-Learning-Environment (Tasfi 2016), which this game replays step for step.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from nnlite.arrays import Array
from rl.envs import catcher_sim as sim
from rl.envs.goals import Misses
from rl.envs.native_env import NativeEnv
from rl.envs.native_vector import NativeVectorEnv

GAME = {"goal": Misses(2), "action_names": ("left", "right", "stay"), "render_fps": 30}


class CatcherVectorEnv(NativeVectorEnv):
    """N games of Catcher, moved and painted by one compiled call; observations (N, 64, 64, 3) uint8.

    num_envs           N
    max_episode_steps  the time limit in steps; None: games run until the lives are gone
    render_mode        "rgb_array" or None

    When games end, infos["final_info"] holds their "lives", "catches" and "misses", (N,) int64 each, zero
    elsewhere. Everything else is the protocol of rl.envs.native_vector.
    """

    metadata = {**NativeVectorEnv.metadata, **GAME, "render_modes": ["rgb_array"]}
    step_games = staticmethod(sim.step_games)

    def __init__(
        self, num_envs: int = 1, max_episode_steps: int | None = None, render_mode: str | None = None
    ) -> None:
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode is {render_mode!r}\n  many games at once know 'rgb_array' or None")
        screen = spaces.Box(0, 255, sim.SCREEN_SHAPE, np.uint8)
        super().__init__(num_envs, max_episode_steps, screen, spaces.Discrete(sim.ACTIONS), sim.COLUMNS)
        self.render_mode = render_mode

    def start_games(self, games: Array | slice) -> None:
        sim.start_games(self.states, games, self.np_random)

    def observe(self, games: Array | slice = slice(None)) -> Array:
        states = self.states[games]
        screens = np.empty((len(states), *sim.SCREEN_SHAPE), dtype=np.uint8)
        sim.paint_screens(states, screens)
        return screens

    def draw_ahead(self) -> None:
        sim.refill_spawns(self.states, self.np_random)

    def final_info(self, ended: Array) -> dict[str, Array]:
        lives, catches = self.states[:, sim.LIVES_LEFT : sim.CATCHES + 1].astype(np.int64).T
        counts = {"lives": lives, "catches": catches, "misses": sim.LIVES - lives}
        counts = {name: np.where(ended, values, 0) for name, values in counts.items()}
        return counts | {f"_{name}": ended.copy() for name in counts}

    def render(self) -> tuple[Array, ...] | None:
        """Return the N screens as they are now, or None without a render mode."""
        return tuple(self.observe()) if self.render_mode == "rgb_array" else None


class CatcherEnv(NativeEnv):
    """One game of Catcher.

    observation  (64, 64, 3) uint8, the screen; a fresh array every step
    actions      0 left, 1 right, 2 stay
    reward       +1 a catch, -1 a miss, -6 the miss that takes the last life
    terminated   no lives are left; such a game returns its catches - 8
    info         "lives", "catches" and "misses" so far

    Registered with a time limit of 10,000 steps. Everything else: rl.envs.native_env.
    """

    metadata = {**GAME, "render_modes": ["human", "rgb_array"]}
    title = "Catcher"
    games: CatcherVectorEnv

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__(CatcherVectorEnv(1), render_mode)

    def picture(self) -> Array:
        return self.games.observe()[0]

    def info(self, action: int | None) -> dict[str, Any]:
        lives, catches = map(int, self.games.states[0, sim.LIVES_LEFT : sim.CATCHES + 1].tolist())
        return {"lives": lives, "catches": catches, "misses": sim.LIVES - lives}

    def is_over(self) -> bool:
        return bool(self.games.states[0, sim.LIVES_LEFT] == 0)
