"""The slot machines as an environment: their coins, their regret, their picture."""

import gymnasium
import numpy as np
import pytest

import rl  # noqa: F401
from rl.envs.bandit import BanditEnv


def test_the_environment_pays_as_its_arms_do_and_is_truncated_after_250_plays():
    env = gymnasium.make("rl/Bandit-v0")
    rewards = np.zeros((30, 250))
    for game in range(30):
        env.reset(seed=game)
        for t in range(250):
            observation, rewards[game, t], terminated, truncated, info = env.step(t % 3)
            assert (observation, terminated, truncated) == (0, False, t == 249)
            assert info["regret"] == pytest.approx((0.6, 0.4, 0.0)[t % 3])
    assert [rewards[:, arm::3].mean() for arm in range(3)] == pytest.approx([0.3, 0.5, 0.9], abs=0.04)


def test_the_picture_shows_plays_and_coins():
    env = BanditEnv((1.0, 0.0), render_mode="rgb_array")
    env.reset(seed=0)
    for arm in (0, 0, 0, 1):
        env.step(arm)
    picture = env.render()
    assert picture.shape == (48, 32, 3)
    assert (picture[:, 8] == (240, 180, 40)).all(axis=1).sum() == 36  # three of four plays, all paid
    assert (picture[:, 24] == (90, 90, 90)).all(axis=1).sum() == 12  # one, without a coin


@pytest.mark.parametrize("arms", [(), (1.2,), (float("nan"),), ((0.1, 0.2),)])
def test_arms_that_are_no_chances_are_refused(arms):
    with pytest.raises(ValueError, match="from 0 to 1"):
        BanditEnv(arms)
