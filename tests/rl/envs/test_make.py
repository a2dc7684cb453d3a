"""`make_vector`: ids of Gymnasium, of one's own, and wrong ones."""

import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from rl.envs import make_vector


def test_make_vector_leaves_other_environments_to_gymnasium():
    envs = make_vector("Acrobot-v1", 2, max_episode_steps=3)
    assert (
        isinstance(envs.unwrapped, SyncVectorEnv)
        and envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    )
    envs.reset(seed=0)
    truncated = [envs.step([0, 0])[3].all() for _ in range(4)]
    assert truncated == [False, False, True, False]
    assert isinstance(make_vector("CartPole-v1", 1, render_mode="rgb_array").unwrapped, SyncVectorEnv)


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


WRONG = {"Nope-v0": "no environment 'Nope-v0'", "not an id": "no environment 'not an id'"}
WRONG |= {"no_such_module:Nope-v0": "no_such_module", "Pendulum-v1": "actions of 'Pendulum-v1' are Box"}
WRONG |= dict.fromkeys(("rl/Nope-v0", "CartPole-v9"), "no environment")


@pytest.mark.parametrize("env_id, what", WRONG.items())
def test_make_vector_says_what_and_what_to_do(env_id, what):
    with pytest.raises(ValueError, match=what) as caught:
        make_vector(env_id, 2)
    assert len(str(caught.value).splitlines()) == 2


def test_make_vector_refuses_no_games_and_no_steps():
    with pytest.raises(ValueError, match="num_envs is 0"):
        make_vector("CartPole-v1", 0)
    with pytest.raises(ValueError, match="max_episode_steps is 0"):
        make_vector("CartPole-v1", 1, max_episode_steps=0)
