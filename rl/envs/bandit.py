"""Slot machines: `gymnasium.make("rl:rl/Bandit-v0")`, and N sets of them moved by one compiled call.

There is no state to see: the observation is always 0. An action is an arm, the reward its coin, 0 or 1.
Nothing ever terminates a game; as registered it is truncated after 250 plays, the article's number.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import InvalidAction, ResetNeeded

from rl.envs import bandit_sim as sim
from rl.envs.actions import action_index
from rl.envs.native_vector import NativeVectorEnv, pack_state, reject_options, unpack_state

ARTICLE_ARMS = (0.3, 0.5, 0.9)
BAR_HEIGHT, BAR_WIDTH = 48, 16  # pixels of an arm in the picture
GREY, GOLD = (90, 90, 90), (240, 180, 40)
WINDOW_SCALE = 6


class BanditEnv(gymnasium.Env):
    """One set of slot machines.

    arms         the chance of a coin of each, the article's 0.3, 0.5, 0.9 unless given
    observation  Discrete(1): always 0
    actions      0 .. A - 1, the arm to play
    reward       1 for a coin, else 0
    info         "regret": what the arm played costs on average, the best arm's chance less its own
    render_mode  "rgb_array" makes render() return a picture: one bar for each arm, grey its share of the
                 plays, gold the part of them that paid; "human" shows it in a window; "ansi" gives the counts
                 as text

    Time limits are Gymnasium's TimeLimit. `get_state` and `set_state` follow rl.envs.native_vector.
    """

    metadata = {"render_modes": ["human", "rgb_array", "ansi"], "render_fps": 10}

    def __init__(self, arms: Sequence[float] = ARTICLE_ARMS, render_mode: str | None = None) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"render_mode is {render_mode!r}\n  use 'human', 'rgb_array', 'ansi' or None")
        self.chances = checked_chances(arms)
        self.render_mode = render_mode
        self.observation_space = spaces.Discrete(1)
        self.action_space = spaces.Discrete(len(self.chances))
        self._window: Any = None
        self._states = np.zeros((1, sim.FIRST_ARM + 2 * len(self.chances)))
        self._action, self._rewards = np.zeros(1, np.int64), np.zeros(1)
        self._unused = np.zeros(1, np.int64), np.zeros(1, np.bool_), np.zeros(1, np.bool_)
        self._playing = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Forget all plays. Raises ValueError for options: there are none."""
        reject_options(options)
        super().reset(seed=seed)
        start(self._states, slice(None), self.np_random)
        self._playing = True
        if self.render_mode == "human":
            self.render()
        return 0, {"regret": 0.0}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Play an arm.

        Raises InvalidAction for an arm that is not there, ResetNeeded before the first reset.
        """
        if not self._playing:
            raise ResetNeeded("no game is on: call reset() before step()")
        self._action[0] = arm = action_index(action)
        observation, terminated, truncated = self._unused
        events = sim.step_games(
            self.chances,
            self._states,
            self._action,
            sys.maxsize,
            observation,
            self._rewards,
            terminated,
            truncated,
        )
        if events == sim.BAD_ACTION:
            raise InvalidAction(f"the action must be an arm 0..{len(self.chances) - 1}, not {action!r}")
        draw_ahead(self._states, self.np_random)
        if self.render_mode == "human":
            self.render()
        regret = float(self.chances.max() - self.chances[arm])
        return 0, float(self._rewards[0]), False, False, {"regret": regret}

    def render(self) -> np.ndarray | str | None:
        """The picture, the text, or None after showing it in the window."""
        plays, coins = self._states[0, sim.FIRST_ARM :].reshape(-1, 2).T
        if self.render_mode == "ansi":
            return "\n".join(
                f"arm {i}: {n:.0f} plays, {w:.0f} coins" for i, (n, w) in enumerate(zip(plays, coins))
            )
        if self.render_mode is None:
            return None
        picture = _paint(plays, coins)
        if self.render_mode == "rgb_array":
            return picture
        if self._window is None:
            from rl.envs.window import Window  # pygame is imported only for a window

            self._window = Window(
                "Slot machines", picture.shape[0], picture.shape[1], WINDOW_SCALE, self.metadata["render_fps"]
            )
        self._window.show(picture)
        return None

    def close(self) -> None:
        if self._window is not None:
            self._window.close()
            self._window = None

    def get_state(self) -> dict[str, Any]:
        """Everything that decides how the game goes on."""
        return pack_state(self._states, self.np_random)

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned."""
        unpack_state(state, self._states, self.np_random)
        self._playing = True


class BanditVectorEnv(NativeVectorEnv):
    """N sets of the same slot machines; observations (N,) int64, all 0.

    Everything else: rl.envs.native_vector.
    """

    def __init__(
        self, num_envs: int = 1, max_episode_steps: int | None = None, arms: Sequence[float] = ARTICLE_ARMS
    ) -> None:
        self.chances = checked_chances(arms)
        count = len(self.chances)
        columns = sim.FIRST_ARM + 2 * count
        super().__init__(num_envs, max_episode_steps, spaces.Discrete(1), spaces.Discrete(count), columns)

    def step_games(self, *arrays: Any) -> int:
        return sim.step_games(self.chances, *arrays)

    def start_games(self, games: np.ndarray | slice) -> None:
        start(self.states, games, self.np_random)

    def draw_ahead(self) -> None:
        draw_ahead(self.states, self.np_random)

    def observe(self, games: np.ndarray | slice = slice(None)) -> np.ndarray:
        return np.zeros(len(self.states[games]), np.int64)


def checked_chances(arms: Sequence[float]) -> np.ndarray:
    """The arms' chances (A,) float64.

    Raises ValueError unless there is at least one and all are from 0 to 1.
    """
    chances = np.array(arms, dtype=np.float64)
    if chances.ndim != 1 or len(chances) == 0 or not np.all((chances >= 0) & (chances <= 1)):
        raise ValueError(
            f"the arms are {arms!r}\n  give each a chance from 0 to 1, (0.3, 0.5, 0.9) for example"
        )
    return chances


def start(states: np.ndarray, games: np.ndarray | slice, rng: np.random.Generator) -> None:
    """Put these rows at the start of a game."""
    states[games] = 0.0
    states[games, sim.NEXT] = rng.random(len(states[games]))


def draw_ahead(states: np.ndarray, rng: np.random.Generator) -> None:
    """The random number of every game's next play: one call for all of them, outside the compiled step."""
    states[:, sim.NEXT] = rng.random(len(states))


def _paint(plays: np.ndarray, coins: np.ndarray) -> np.ndarray:
    """(BAR_HEIGHT, A * BAR_WIDTH, 3) uint8: bars that grow from the bottom."""
    picture = np.zeros((BAR_HEIGHT, len(plays) * BAR_WIDTH, 3), np.uint8)
    for heights, colour in ((plays, GREY), (coins, GOLD)):
        for arm, height in enumerate(np.rint(BAR_HEIGHT * heights / max(1.0, plays.sum())).astype(int)):
            picture[BAR_HEIGHT - height :, arm * BAR_WIDTH + 2 : (arm + 1) * BAR_WIDTH - 2] = colour
    return picture
