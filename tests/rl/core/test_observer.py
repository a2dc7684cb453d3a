"""The observations of networks: luminance, nearest neighbour, stacks that never reach into another game."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

from rl.core.experience import insert_final_obs
from rl.core.observer import OneHotObserver, ScreenObserver, nearest
from rl.envs.make import make_vector


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


def test_the_real_next_observation_of_an_ended_game_is_its_last_one():
    envs = make_vector("CartPole-v0", 2, max_episode_steps=5)
    envs.reset(seed=0)
    for _ in range(5):
        following, _, terminated, truncated, info = envs.step(np.zeros(2, int))
    done = terminated | truncated
    assert done.all()
    last = insert_final_obs(following, info, done)
    np.testing.assert_array_equal(last, info["final_obs"])
    assert not np.array_equal(last, following)


def test_foreign_screens_work_and_vectors_are_refused():
    class Screen(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(0, 255, (30, 20, 3), np.uint8)
        action_space = gymnasium.spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.t = 0
            return np.full((30, 20, 3), 9, np.uint8), {}

        def step(self, action):
            self.t += 1
            return np.full((30, 20, 3), 10 * self.t, np.uint8), 0.0, self.t == 3, False, {}

    envs = gymnasium.vector.SyncVectorEnv(
        [Screen, Screen], autoreset_mode=gymnasium.vector.AutoresetMode.SAME_STEP
    )
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
    envs = gymnasium.vector.SyncVectorEnv(
        [lambda: gymnasium.make("FrozenLake-v1", max_episode_steps=3)] * 2,
        autoreset_mode=gymnasium.vector.AutoresetMode.SAME_STEP,
    )
    observed = OneHotObserver(envs)
    rows, _ = observed.reset(seed=0)
    assert rows.shape == (2, 16) and rows.dtype == np.float32 and rows[:, 0].tolist() == [1, 1]
    for _ in range(3):
        rows, _, terminated, truncated, info = observed.step(np.array([0, 2]))
    assert (
        (terminated | truncated).any()
        and info["final_obs"].shape == (2, 16)
        and (info["final_obs"].sum(axis=1) == 1).all()
    )
