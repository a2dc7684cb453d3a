"""Environments of others: images of any usual layout, and Atari games, as our networks read them."""

import gymnasium
import numpy as np
import pytest

from rl import a2c, dqn
from rl.core.observer import make_observed
from rl.envs import foreign
from rl.envs.make import make_vector
from tests.rl.games import Game
from tests.rl.helpers import run_folder_in


class Painting(Game):
    """Random pictures of the given shape; a game lasts 12 steps."""

    action_space = gymnasium.spaces.Discrete(3)
    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}
    length = 12

    def __init__(self, shape, render_mode=None):
        self.observation_space = gymnasium.spaces.Box(0, 255, shape, np.uint8)
        self.render_mode = render_mode

    def show(self):
        return self.np_random.integers(0, 256, self.observation_space.shape, np.uint8)

    def pay(self, action):
        return float(action == 1)

    def render(self):
        return np.zeros((40, 40, 3), np.uint8)


SHAPES = {"rgb": (50, 60, 3), "grey": (50, 60), "stack-first": (4, 50, 60)}
SHAPES |= {"stack-last": (50, 60, 4), "colours-first": (3, 50, 60)}
for name, shape in SHAPES.items():
    gymnasium.register(f"Painting/{name}-v0", Painting, kwargs={"shape": shape})


@pytest.mark.parametrize("name", SHAPES)
def test_images_of_any_layout_become_stacks_with_channels_last(name):
    env_id = f"Painting/{name}-v0"
    envs = make_observed(env_id, 2)
    assert envs.single_observation_space.shape == ((50, 60, 4) if "stack" in name else (80, 80, 4))
    observations, _ = envs.reset(seed=1)
    raw = gymnasium.make(env_id)
    first = raw.reset(seed=1)[0]
    if name == "stack-first":
        np.testing.assert_array_equal(observations[0], np.moveaxis(first, 0, -1))
    if name == "grey":
        assert observations[0, 0, 0].tolist() == [first[0, 0]] * 4
    for _ in range(12):
        observations, _, terminated, _, info = envs.step(np.zeros(2, np.int64))
        assert observations in envs.observation_space
    assert terminated.all() and np.asarray(info["final_obs"][0]).shape == envs.single_observation_space.shape


@pytest.mark.parametrize("main", [dqn.main, pytest.param(a2c.main, marks=pytest.mark.thorough)])
def test_an_environment_of_images_trains_and_is_shown(main, tmp_path, monkeypatch, capsys):
    flags = "--env-id Painting/stack-first-v0 --total-timesteps 120 --num-envs 2 --eval-freq 0".split()
    monkeypatch.setattr("sys.argv", ["rl", *flags, "--eval-episodes", "1", "--out", str(tmp_path)])
    assert main() == 0
    assert (run_folder_in(tmp_path) / "replay.gif").stat().st_size > 0
    printed = capsys.readouterr().out
    assert "new games" in printed and "caught" not in printed


def test_a_missing_atari_package_is_named(monkeypatch):
    monkeypatch.setattr(foreign.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'nnlite-rl\[atari\]'") as caught:
        make_vector("ALE/Pong-v5", 1)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("env_id, actions", [("ALE/Pong-v5", 6), ("ALE/Breakout-v5", 4)])
def test_atari_games_come_with_the_usual_preprocessing(env_id, actions):
    pytest.importorskip("ale_py", reason="needs ale_py: pip install -e '.[atari]'")
    pytest.importorskip("cv2", reason="needs cv2: pip install -e '.[atari]'")
    envs = make_observed(env_id, 2, 30)
    assert envs.single_action_space.n == actions and envs.single_observation_space.shape == (84, 84, 4)
    observations, _ = envs.reset(seed=0)
    assert observations.shape == (2, 84, 84, 4) and observations.any()
    steps, truncated = 0, np.zeros(2, bool)
    while not truncated.any() and steps < 100:
        *_, truncated, info = envs.step(np.ones(2, np.int64))
        steps += 1
    assert 15 <= steps <= 30  # the time limit is 30 steps of the agent, those of doing nothing among them
    assert info["final_obs"][0].shape == (84, 84, 4)
