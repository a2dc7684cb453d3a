"""The compiled CartPole against Gymnasium's, from the same states; time limits, ends and resuming;
`make_vector`.
"""

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.classic_control import CartPoleEnv
from gymnasium.error import InvalidAction
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import rl  # noqa: F401
from rl.envs import cartpole_sim as sim
from rl.envs import make_vector, native_vector
from rl.envs.cartpole_vector import CartPoleVectorEnv


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


def test_whole_games_equal_gymnasiums():
    single = gymnasium.make("CartPole-v1").unwrapped
    envs = CartPoleVectorEnv(1)
    envs.reset(seed=3)
    games = 0
    single.reset(seed=0)
    single.state = envs.states[0, :4].copy()
    for _ in range(3000):  # leaning against the fall, so that games are long
        action = int(envs.states[0, sim.ANGLE] + 0.3 * envs.states[0, sim.SPIN] > 0)
        expected, reward, ended, *_ = single.step(action)
        observations, rewards, terminated, truncated, infos = envs.step([action])
        assert (rewards[0], terminated[0]) == (reward, ended)
        last = infos["final_obs"][0] if "final_obs" in infos else observations[0]
        np.testing.assert_allclose(last, expected, rtol=1e-6, atol=1e-9)
        if terminated[0] or truncated[0]:
            games += 1
            single.reset()
            single.state = envs.states[0, :4].copy()
    assert games > 4


def test_a_fall_is_terminated_with_its_real_last_observation():
    envs = CartPoleVectorEnv(3, 500)
    first, _ = envs.reset(seed=0)
    assert first.dtype == np.float32 and (np.abs(first) <= 0.05).all()
    lengths = np.zeros(3, dtype=int)
    for _ in range(60):
        observations, rewards, terminated, truncated, infos = envs.step([0, 1, 0])
        assert rewards.dtype == np.float64 and (rewards == 1).all() and not truncated.any()
        lengths += 1
        assert ("final_obs" in infos) == terminated.any()
        if not terminated.any():
            continue
        np.testing.assert_array_equal(infos["_final_obs"], terminated)
        assert (np.abs(infos["final_obs"][terminated, 2]) > sim.MAX_ANGLE).all()
        assert not infos["final_obs"][~terminated].any()
        assert (np.abs(observations[terminated]) <= 0.05).all()
        assert ((8 <= lengths[terminated]) & (lengths[terminated] <= 11)).all()
        lengths[terminated] = 0
        np.testing.assert_array_equal(envs.states[:, sim.STEPS], lengths)


def test_the_time_limit_truncates_and_leaves_others_alone():
    envs = CartPoleVectorEnv(2, 5)
    envs.reset(seed=0)
    envs.states[1, sim.STEPS] = 2
    ends = [envs.step([t % 2, t % 2])[2:4] for t in range(10)]
    assert not any(terminated.any() for terminated, _ in ends)
    truncated = np.array([truncated for _, truncated in ends])
    np.testing.assert_array_equal(np.flatnonzero(truncated[:, 0]), [4, 9])
    np.testing.assert_array_equal(np.flatnonzero(truncated[:, 1]), [2, 7])


def test_a_seed_fixes_all_games_and_starts_are_uniform():
    envs = CartPoleVectorEnv(2000)
    one, two, other = envs.reset(seed=4)[0], envs.reset(seed=4)[0], envs.reset(seed=5)[0]
    np.testing.assert_array_equal(one, two)
    assert (one != other).all()
    np.testing.assert_allclose(one.std(axis=0), 0.1 / np.sqrt(12), rtol=0.05)
    assert len(np.unique(envs.reset()[0], axis=0)) == 2000


def test_a_saved_state_goes_on_identically():
    first, second = CartPoleVectorEnv(5, 30), CartPoleVectorEnv(5, 30)
    first.reset(seed=2)
    rng = np.random.default_rng(0)
    for _ in range(50):
        first.step(rng.integers(2, size=5))
    second.set_state(first.get_state())
    np.testing.assert_array_equal(first.observe(), second.observe())
    for _ in range(200):
        actions = rng.integers(2, size=5)
        for one, other in zip(first.step(actions)[:4], second.step(actions)[:4]):
            np.testing.assert_array_equal(one, other)


def test_wrong_actions_are_refused_and_move_nothing():
    envs = CartPoleVectorEnv(2)
    envs.reset(seed=0)
    before = envs.states.copy()
    for wrong in ([0, 2], [-1, 0], [0], [0.0, 1.0]):
        with pytest.raises(InvalidAction):
            envs.step(wrong)
    np.testing.assert_array_equal(envs.states, before)
    assert all(getattr(sim, name) == getattr(native_vector, name) for name in ("ENDED", "BAD_ACTION"))


def test_spaces_are_gymnasiums():
    envs, single = CartPoleVectorEnv(3), CartPoleEnv()
    assert envs.single_observation_space == single.observation_space
    assert envs.single_action_space == single.action_space
    assert envs.reset(seed=0)[0] in envs.observation_space


@pytest.mark.parametrize("env_id, limit", [("CartPole-v0", 200), ("CartPole-v1", 500)])
def test_make_vector_plays_cartpole_natively(env_id, limit):
    envs = make_vector(env_id, 4)
    assert isinstance(envs, CartPoleVectorEnv) and (envs.num_envs, envs.max_episode_steps) == (4, limit)
    assert make_vector(env_id, 1, max_episode_steps=7).max_episode_steps == 7


def test_make_vector_leaves_other_environments_to_gymnasium():
    envs = make_vector("Acrobot-v1", 2, max_episode_steps=3)
    assert isinstance(envs, SyncVectorEnv) and envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    envs.reset(seed=0)
    truncated = [envs.step([0, 0])[3].all() for _ in range(4)]
    assert truncated == [False, False, True, False]
    assert isinstance(make_vector("CartPole-v1", 1, render_mode="rgb_array"), SyncVectorEnv)


def test_make_vector_finds_an_environment_of_ones_own(tmp_path, monkeypatch):
    (tmp_path / "my_worlds.py").write_text(
        "import gymnasium\nfrom gymnasium.envs.classic_control import CartPoleEnv\n"
        "gymnasium.register(id='Mine-v0', entry_point=CartPoleEnv, max_episode_steps=4)\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    envs = make_vector("my_worlds:Mine-v0", 2)
    envs.reset(seed=0)
    assert [bool(envs.step([0, 1])[3].all()) for _ in range(4)] == [False, False, False, True]


@pytest.mark.parametrize(
    "env_id, what",
    [
        ("Nope-v0", "no environment 'Nope-v0'"),
        ("no_such_module:Nope-v0", "no_such_module"),
        ("not an id", "no environment 'not an id'"),
        ("rl/Nope-v0", "no environment"),
        ("CartPole-v9", "no environment"),
        ("Pendulum-v1", r"actions of 'Pendulum-v1' are Box"),
    ],
)
def test_make_vector_says_what_and_what_to_do(env_id, what):
    with pytest.raises(ValueError, match=what) as caught:
        make_vector(env_id, 2)
    assert len(str(caught.value).splitlines()) == 2


def test_make_vector_refuses_no_games_and_no_steps():
    with pytest.raises(ValueError, match="num_envs is 0"):
        make_vector("CartPole-v1", 0)
    with pytest.raises(ValueError, match="max_episode_steps is 0"):
        make_vector("CartPole-v1", 1, max_episode_steps=0)
