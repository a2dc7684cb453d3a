"""The stage: which moments of a game are shown, and what the display is left like."""

import os
import re

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from rl.command.notes import extra, printed_notes
from rl.envs import window
from rl.envs.maze import WALKER
from rl.watch import play, stage
from rl.watch.stage import CannotRenderError, Stage, watch
from tests.rl.watch.scripted import Scripted, lazy

SHORTEST = {0: 1, 1: 2, 4: 1, 5: 2}  # the article's maze: cell -> right, down, right, down


def test_the_last_picture_is_that_of_the_ended_game_not_of_the_next():
    walker = Scripted(4, lambda cell: SHORTEST[int(cell.argmax())])
    shown = list(watch(Stage("rl/Maze-v0", seed=0), walker, games=2, steps=100))
    assert [moment.action for moment in shown] == [1, 2, 1, 2, -1] * 2
    assert [moment.score for moment in shown[:5]] == [0, -1, -2, -3, -4]
    assert [moment.game for moment in shown] == [0] * 5 + [1] * 5
    pictures = [moment.picture for moment in shown]
    walkers = [np.argwhere((picture == WALKER).all(axis=2)).mean(axis=0) for picture in pictures]
    places = [tuple(at * 3 // len(picture)) for at, picture in zip(walkers, pictures)]
    assert places == [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2)] * 2


def test_a_game_of_catcher_is_shown_until_its_last_life():
    shown = list(watch(Stage("rl/Catcher-v0", seed=3), lazy(3), games=1, steps=10_000))
    assert shown[-1].action == -1 and all(moment.action == 0 for moment in shown[:-1])
    assert shown[-1].score <= -8 + shown[-1].step // 20
    assert shown[0].picture.shape == (64, 64, 3) and shown[0].observation.shape == (1, 80, 80, 4)
    assert [moment.step for moment in shown] == list(range(len(shown)))


def test_steps_and_intervals_limit_what_is_shown():
    balancing = Scripted(2, lambda o: int(o[2] + o[3] > 0))
    shown = list(watch(Stage("CartPole-v1", seed=0), balancing, games=9, steps=50, every=7))
    assert [moment.step for moment in shown] == list(range(0, 50, 7)) and shown[-1].game == 0


def test_the_run_s_time_limit_holds():
    shown = list(watch(Stage("rl/Catcher-v0", max_episode_steps=5, seed=0), lazy(3), games=2, steps=100))
    assert [moment.step for moment in shown] == [0, 1, 2, 3, 4, 5] * 2


def test_the_same_seed_shows_the_same_games():
    runs = [list(watch(Stage("rl/Catcher-v0", seed=seed), lazy(3), 1, 60)) for seed in (1, 1, 2)]
    pictures = [np.stack([moment.picture for moment in run]) for run in runs]
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[0], pictures[2])


def test_actions_have_names():
    assert Stage("rl/Catcher-v0", seed=0).actions == ("left", "right", "stay")


def test_quiet_puts_back_what_was_not_set(monkeypatch):
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    with stage.hide_display():
        assert os.environ["SDL_VIDEODRIVER"] == "dummy"
    assert "SDL_VIDEODRIVER" not in os.environ


def test_pictures_leave_the_environment_and_the_display_as_they_were(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
    monkeypatch.delenv("SDL_AUDIODRIVER", raising=False)
    window.pygame.display.quit()  # a test before this one may have opened it
    Stage("CartPole-v1", seed=0)
    assert os.environ["SDL_VIDEODRIVER"] == "x11" and "SDL_AUDIODRIVER" not in os.environ
    assert not window.pygame.display.get_init()


class Blind(gymnasium.Env):
    """An environment that cannot be rendered."""

    observation_space, action_space = spaces.Box(-1, 1, (2,)), spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        return np.zeros(2, np.float32), {}

    def step(self, action):
        return np.zeros(2, np.float32), 0.0, False, False, {}


class Broken(Blind):
    """An environment that promises pictures and has none."""

    metadata = {"render_modes": ["rgb_array"]}

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def render(self):
        return None


gymnasium.register("test/Blind-v0", Blind)
gymnasium.register("test/Broken-v0", Broken)


@pytest.mark.parametrize("env_id", ["test/Blind-v0", "test/Broken-v0"])
def test_no_pictures_is_one_line_and_no_file(env_id, tmp_path, capsys):
    with pytest.raises(CannotRenderError):
        Stage(env_id)
    with printed_notes(), extra("no replay"):
        play.record(tmp_path, lazy(2), lambda: Stage(env_id), env_id)
    assert re.fullmatch(r"note: no replay: .*\n", capsys.readouterr().out)
    assert not list(tmp_path.iterdir())
