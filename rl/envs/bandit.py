"""Slot machines: `gymnasium.make("rl:rl/Bandit-v0")`, and N sets of them moved by one compiled call.

There is no state to see: the observation is always 0. An action is an arm, the reward its coin, 0 or 1. No
game ever terminates. The registered environment truncates a game after 250 plays, the article's number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from nnlite.arrays import Array
from rl.envs import bandit_sim as sim
from rl.envs.native_env import NativeEnv
from rl.envs.native_vector import NativeVectorEnv

ARTICLE_ARMS = (0.3, 0.5, 0.9)
BAR_HEIGHT, BAR_WIDTH = 48, 16  # pixels of an arm in the picture
GREY, GOLD = (90, 90, 90), (240, 180, 40)


class BanditVectorEnv(NativeVectorEnv):
    """N sets of the same slot machines; observations (N,) int64, all 0.

    arms  chance of a coin of each arm

    Everything else: rl.envs.native_vector. Raises ValueError unless there is at least one arm and all chances
    are from 0 to 1.
    """

    def __init__(
        self, num_envs: int = 1, max_episode_steps: int | None = None, arms: Sequence[float] = ARTICLE_ARMS
    ) -> None:
        self.chances = check_chances(arms)
        count = len(self.chances)
        columns = sim.FIRST_ARM + 2 * count
        super().__init__(num_envs, max_episode_steps, spaces.Discrete(1), spaces.Discrete(count), columns)

    def step_games(self, *arrays: Any) -> int:
        return sim.step_games(self.chances, *arrays)

    def start_games(self, games: Array | slice) -> None:
        self.states[games] = 0.0
        self.states[games, sim.NEXT] = self.np_random.random(len(self.states[games]))

    def draw_ahead(self) -> None:
        self.states[:, sim.NEXT] = self.np_random.random(self.num_envs)

    def observe(self, games: Array | slice = slice(None)) -> Array:
        return np.zeros(len(self.states[games]), np.int64)


class BanditEnv(NativeEnv):
    """One set of slot machines.

    arms         chance of a coin of each arm; the article's 0.3, 0.5, 0.9 unless given
    observation  Discrete(1): always 0
    actions      0 .. A - 1, the arm to play
    reward       1 for a coin, else 0
    info         "regret": the mean cost of the arm played, the best arm's chance less its own
    render_mode  the picture has one bar for each arm: grey its share of the plays, gold those that paid;
                 "ansi" gives the counts

    Everything else: rl.envs.native_env. Raises ValueError as BanditVectorEnv does.
    """

    metadata = {"render_modes": ["human", "rgb_array", "ansi"], "render_fps": 10}
    title = "Slot machines"
    games: BanditVectorEnv

    def __init__(self, arms: Sequence[float] = ARTICLE_ARMS, render_mode: str | None = None) -> None:
        super().__init__(BanditVectorEnv(1, arms=arms), render_mode)

    def info(self, action: int | None) -> dict[str, Any]:
        chances = self.games.chances
        return {"regret": 0.0 if action is None else float(chances.max() - chances[action])}

    def _counts(self) -> tuple[Array, Array]:
        """Plays and coins of each arm, (A,) float64 each."""
        plays, coins = self.games.states[0, sim.FIRST_ARM :].reshape(-1, 2).T
        return plays, coins

    def text(self) -> str:
        lines = (f"arm {i}: {n:.0f} plays, {w:.0f} coins" for i, (n, w) in enumerate(zip(*self._counts())))
        return "\n".join(lines)

    def picture(self) -> Array:
        """Return (BAR_HEIGHT, A * BAR_WIDTH, 3) uint8: bars that grow from the bottom."""
        plays, coins = self._counts()
        picture = np.zeros((BAR_HEIGHT, len(plays) * BAR_WIDTH, 3), np.uint8)
        for counts, colour in ((plays, GREY), (coins, GOLD)):
            for arm, height in enumerate(np.rint(BAR_HEIGHT * counts / max(1.0, plays.sum())).astype(int)):
                picture[BAR_HEIGHT - height :, arm * BAR_WIDTH + 2 : (arm + 1) * BAR_WIDTH - 2] = colour
        return picture


def check_chances(arms: Sequence[float]) -> Array:
    """Return the chances (A,) float64. Raises ValueError unless A >= 1 and all are from 0 to 1."""
    chances = np.array(arms, dtype=np.float64)
    if chances.ndim != 1 or len(chances) == 0 or not np.all((chances >= 0) & (chances <= 1)):
        raise ValueError(
            f"the arms are {arms!r}\n  give each a chance from 0 to 1, (0.3, 0.5, 0.9) for example"
        )
    return chances
