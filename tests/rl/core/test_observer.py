"""The observations of networks: luminance, nearest neighbour, stacks that never reach into another game."""

import gymnasium
import numpy as np
import pytest

from rl.core.encoders import OneHotObserver
from rl.core.observer import ScreenObserver, nearest
from rl.envs.make import make_vector
from tests.rl.games import Game, vector_of


def luminance(screen: np.ndarray) -> np.ndarray:
    weights = np.array([19595, 38470, 7471])
    return ((screen.astype(np.int64) @ weights + 32768) >> 16).astype(np.uint8)


def seen(screen: np.ndarray) -> np.ndarray:
    index = nearest(64, 80)
    return luminance(screen)[index][:, index]


def test_nearest_takes_the_pixel_under_the_centre():
    assert nearest(4, 8).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert nearest(6, 3).tolist() == [1, 3, 5]
    assert nearest(64, 80)[0] == 0 and nearest(64, 80)[-1] == 63


def test_the_stack_holds_the_last_four_screens_of_this_game_only():
    plain, again = (make_vector("rl/Catcher-v0", 3, max_episode_steps=23) for _ in range(2))
    observed = ScreenObserver(again)
    screens, _ = plain.reset(seed=4)
    stacks, _ = observed.reset(seed=4)
    history = [[seen(screen)] * 4 for screen in screens]
    rng = np.random.default_rng(0)
    ended = 0
    for _ in range(120):
        for game in range(3):
            np.testing.assert_array_equal(stacks[game], np.stack(history[game][-4:], axis=-1))
        actions = rng.integers(0, 3, 3)
        before = [list(h) for h in history]
        screens, _, terminated, truncated, raw = plain.step(actions)
        stacks, _, _, _, info = observed.step(actions)
        for game in range(3):
            if terminated[game] or truncated[game]:
                ended += 1
                last = np.stack([*before[game][-3:], seen(raw["final_obs"][game])], axis=-1)
                np.testing.assert_array_equal(info["final_obs"][game], last)
                history[game] = [seen(screens[game])] * 4
            else:
                history[game].append(seen(screens[game]))
    assert ended >= 9


def test_foreign_screens_work_and_vectors_are_refused():
    class Screen(Game):
        observation_space, length = gymnasium.spaces.Box(0, 255, (30, 20, 3), np.uint8), 3

        def show(self):
            return np.full((30, 20, 3), 10 * self.t or 9, np.uint8)

    envs = vector_of(Screen, Screen)
    observed = ScreenObserver(envs, width=10, height=12, frames=2)
    stacks, _ = observed.reset(seed=0)
    assert stacks.shape == (2, 12, 10, 2) and (stacks == 9).all()
    for _ in range(3):
        stacks, _, terminated, _, info = observed.step(np.array([0, 1]))
    assert terminated.all() and (stacks == 9).all()
    assert info["final_obs"][0][0, 0].tolist() == [20, 30]
    with pytest.raises(ValueError, match="screen"):
        ScreenObserver(make_vector("CartPole-v0", 1))


def test_labels_become_one_hot_rows():
    observed = OneHotObserver(make_vector("FrozenLake-v1", 2, max_episode_steps=3))
    rows, _ = observed.reset(seed=0)
    assert rows.shape == (2, 16) and rows.dtype == np.float32 and rows[:, 0].tolist() == [1, 1]
    for _ in range(3):
        rows, _, terminated, truncated, info = observed.step(np.array([0, 2]))
    assert (terminated | truncated).any()
    assert info["final_obs"].shape == (2, 16) and (info["final_obs"].sum(axis=1) == 1).all()
