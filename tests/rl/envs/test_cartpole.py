"""The compiled CartPole against Gymnasium's, from the same states."""

import numpy as np
from gymnasium.envs.classic_control import CartPoleEnv

from rl.envs.cartpole import CartPoleVectorEnv


def test_steps_equal_gymnasiums_from_the_same_states():
    rng = np.random.default_rng(0)
    states = rng.uniform(-1, 1, (4000, 4)) * [2.5, 3.0, 0.25, 3.0]
    actions = rng.integers(2, size=4000)
    envs = CartPoleVectorEnv(4000)
    envs.reset(seed=0)
    envs.states[:, :4] = states
    observations, rewards, terminated, truncated, infos = envs.step(actions)
    observations[terminated] = infos["final_obs"][terminated]
    single = CartPoleEnv()
    single.reset(seed=0)
    for i in range(4000):
        single.state, single.steps_beyond_terminated = states[i], None
        expected, reward, ended, *_ = single.step(int(actions[i]))
        assert (rewards[i], terminated[i]) == (reward, ended)
        np.testing.assert_allclose(observations[i], expected, rtol=2e-7)  # one unit of float32
        if not ended:
            np.testing.assert_allclose(envs.states[i, :4], single.state, rtol=1e-12, atol=1e-14)
    assert 500 < terminated.sum() < 3500 and not truncated.any()


def test_a_seed_fixes_all_games_and_starts_are_uniform():
    envs = CartPoleVectorEnv(2000)
    one, two, other = envs.reset(seed=4)[0], envs.reset(seed=4)[0], envs.reset(seed=5)[0]
    np.testing.assert_array_equal(one, two)
    assert (one != other).all()
    np.testing.assert_allclose(one.std(axis=0), 0.1 / np.sqrt(12), rtol=0.05)
    assert len(np.unique(envs.reset()[0], axis=0)) == 2000
