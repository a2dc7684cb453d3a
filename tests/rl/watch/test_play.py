"""Watching: what is recorded, what the files hold, and --play from the run's folder."""

import base64
import html
import io
import json
import os
import re
import sys
import types
from dataclasses import dataclass, replace

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from PIL import Image, ImageSequence

from rl.command.settings import AgentSettings, as_dict
from rl.core.agent import Agent
from rl.core.networks import network
from rl.envs import window
from rl.envs.maze import WALKER
from rl.runs import run_folder
from rl.watch import animation, play, stage
from rl.watch.stage import CannotRenderError, Moment, Stage, watch

SHORTEST = {0: 1, 1: 2, 4: 1, 5: 2}  # the article's maze: cell -> right, down, right, down


class Scripted(Agent):
    """Plays by a function of one observation, and thinks 1 of that action and 0 of the others."""

    def __init__(self, actions, choose):
        self.actions, self.choose = actions, choose

    def preferences(self, observations):
        return np.eye(self.actions)[[self.choose(observation) for observation in observations]]


def lazy(actions, action=0):
    return Scripted(actions, lambda observation: action)


@pytest.fixture
def no_screen(monkeypatch):
    def refuse():
        raise window.NoScreenError("no screen\n  none")

    monkeypatch.setattr(window, "require_screen", refuse)


# --- the stage
# -------------------------------------------------------------------------------------------------------


def test_the_last_picture_is_that_of_the_ended_game_not_of_the_next():
    shown = list(
        watch(
            Stage("rl/Maze-v0", seed=0),
            Scripted(4, lambda cell: SHORTEST[int(cell.argmax())]),
            games=2,
            steps=100,
        )
    )
    assert [moment.action for moment in shown] == [1, 2, 1, 2, -1] * 2
    assert [moment.score for moment in shown[:5]] == [0, -1, -2, -3, -4]
    assert [moment.game for moment in shown] == [0] * 5 + [1] * 5
    places = [
        tuple(np.argwhere((moment.picture == WALKER).all(axis=2)).mean(axis=0) * 3 // len(moment.picture))
        for moment in shown
    ]
    assert places == [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2)] * 2


def test_a_game_of_catcher_is_shown_until_its_last_life():
    shown = list(watch(Stage("rl/Catcher-v0", seed=3), lazy(3), games=1, steps=10_000))
    assert shown[-1].action == -1 and all(moment.action == 0 for moment in shown[:-1])
    assert shown[-1].score <= -8 + shown[-1].step // 20
    assert shown[0].picture.shape == (64, 64, 3) and shown[0].observation.shape == (1, 80, 80, 4)
    assert [moment.step for moment in shown] == list(range(len(shown)))


def test_steps_and_intervals_limit_what_is_shown():
    shown = list(
        watch(
            Stage("CartPole-v1", seed=0),
            Scripted(2, lambda o: int(o[2] + o[3] > 0)),
            games=9,
            steps=50,
            every=7,
        )
    )
    assert [moment.step for moment in shown] == list(range(0, 50, 7)) and shown[-1].game == 0


def test_the_run_s_time_limit_holds():
    shown = list(watch(Stage("rl/Catcher-v0", max_episode_steps=5, seed=0), lazy(3), games=2, steps=100))
    assert [moment.step for moment in shown] == [0, 1, 2, 3, 4, 5] * 2


def test_the_same_seed_shows_the_same_games():
    runs = [list(watch(Stage("rl/Catcher-v0", seed=seed), lazy(3), 1, 60)) for seed in (1, 1, 2)]
    pictures = [np.stack([moment.picture for moment in run]) for run in runs]
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[0], pictures[2])


@pytest.mark.parametrize(
    ("env_id", "names"),
    [
        ("rl/Catcher-v0", ("left", "right", "stay")),
        ("CartPole-v0", ("left", "right")),
        ("rl/Bandit-v0", ("0", "1", "2")),
    ],
)
def test_actions_have_names(env_id, names):
    assert Stage(env_id, seed=0).actions == names


def test_quiet_puts_back_what_was_not_set(monkeypatch):
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    with stage.quiet():
        assert os.environ["SDL_VIDEODRIVER"] == "dummy"
    assert "SDL_VIDEODRIVER" not in os.environ


def test_pictures_leave_the_environment_and_the_display_as_they_were(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
    monkeypatch.delenv("SDL_AUDIODRIVER", raising=False)
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
    play.record(tmp_path, lazy(2), AgentSettings(env_id=env_id))
    assert re.fullmatch(r"no replay: .*\n", capsys.readouterr().out)
    assert not list(tmp_path.iterdir())


# --- the files
# -------------------------------------------------------------------------------------------------------


def filmed(env_id, agent, steps):
    return play.filmed(Stage(env_id, seed=1), agent, "A <title> & more", 2, steps)


def colours(recorded):
    return recorded.palette[recorded.frames]


def test_few_colours_are_kept_exactly():
    shown = list(watch(Stage("rl/Catcher-v0", seed=1), lazy(3), 1, 80))
    recorded = animation.recording(shown, 30, ("a", "b", "c"), "", "Q value")
    np.testing.assert_array_equal(colours(recorded), [moment.picture for moment in shown])


def test_large_pictures_are_shrunk_and_hardly_changed():
    shown = list(watch(Stage("CartPole-v1", seed=1), lazy(2), 1, 8))
    recorded = animation.recording(shown, 50, ("left", "right"), "", "Q value")
    halved = np.stack([np.asarray(Image.fromarray(moment.picture).reduce(2)) for moment in shown])
    assert recorded.frames.shape[1:] == (200, 300)
    assert np.abs(colours(recorded).astype(int) - halved).mean() < 0.1
    assert (colours(recorded)[0, 0, 0] == 255).all()


def test_more_colours_than_a_palette_holds_become_near_ones():
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    picture = np.stack([*np.meshgrid(ramp, ramp), np.full((64, 64), 90, np.uint8)], -1)
    recorded = animation.recording(
        [Moment(picture, picture, np.zeros(1), 0, 0.0, 0, 0)], 30, ("a",), "", "Q value"
    )
    assert len(recorded.palette) <= 256
    assert np.abs(colours(recorded)[0].astype(int) - picture).max() < 48


def test_nothing_to_record_is_an_error():
    with pytest.raises(ValueError, match="no frame"):
        animation.recording([], 30, (), "", "")


@pytest.mark.parametrize(
    ("env_id", "actions", "size", "tick"), [("rl/Catcher-v0", 3, 256, 30), ("CartPole-v1", 2, 300, 40)]
)
def test_the_gif_shows_every_frame_for_its_time_and_loops(tmp_path, env_id, actions, size, tick):
    recorded = filmed(env_id, lazy(actions), 70)
    animation.write_gif(tmp_path / "replay.gif", recorded)
    with Image.open(tmp_path / "replay.gif") as gif:
        assert gif.info["loop"] == 0 and gif.size[0] == size
        shown = []  # frames alike are stored once and shown longer
        for image in ImageSequence.Iterator(gif):
            shown += [np.asarray(image.convert("RGB"))] * round(image.info["duration"] / tick)
    wanted = colours(recorded).repeat(recorded.scale, 1).repeat(recorded.scale, 2)
    assert len(shown) == len(wanted)
    np.testing.assert_array_equal(shown, wanted)


def player_data(text):
    return json.loads(re.search(r"^const data = (.*);$", text, re.MULTILINE).group(1))


@pytest.mark.parametrize(("env_id", "actions"), [("rl/Catcher-v0", 3), ("CartPole-v1", 2)])
def test_the_page_holds_every_frame_and_number(tmp_path, env_id, actions):
    recorded = filmed(env_id, lazy(actions, 1), 60)
    animation.write_html(tmp_path / "replay.html", recorded)
    data = player_data((tmp_path / "replay.html").read_text(encoding="utf-8"))
    frames = []
    for address in data["sheets"]:
        head, _, content = address.partition(",")
        assert head == "data:image/png;base64"
        sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))).convert("RGB"))
        assert max(sheet.shape) <= animation.SHEET
        for y in range(0, len(sheet), data["height"]):
            frames += [
                sheet[y : y + data["height"], x : x + data["width"]]
                for x in range(0, sheet.shape[1], data["width"])
            ]
    np.testing.assert_array_equal(frames[: len(recorded.frames)], colours(recorded))
    assert data["score"] == [moment.score for moment in recorded.moments]
    assert data["chosen"] == [moment.action for moment in recorded.moments]
    assert data["values"][0] == [float(action == 1) for action in range(actions)]
    assert len(data["values"]) == len(data["game"]) == len(data["step"]) == len(recorded.frames)


def test_frames_beyond_one_sheet_go_on_another():
    shown = list(watch(Stage("CartPole-v1", seed=1), lazy(2), 1, 1))[:1] * 61
    recorded = animation.recording(shown, 50, ("left", "right"), "", "Q value")
    data = player_data(animation.page(recorded))
    assert (data["columns"], data["rows"], len(data["sheets"])) == (6, 10, 2)


def test_the_page_needs_nothing_from_elsewhere_and_escapes_its_title():
    text = animation.page(filmed("rl/Catcher-v0", lazy(3), 5))
    without_data = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]*", "", text)
    assert not re.search(r"https?:|//\w|@import|url\(|<link|<script \w|\bfetch\b|<img", without_data)
    assert (
        "<title>A &lt;title&gt; &amp; more</title>" in text and "<title> " not in text.split("</title>", 1)[1]
    )


@pytest.fixture
def notebook(monkeypatch):
    """A process that looks like a notebook's kernel; gives what it was asked to show."""
    shown = []
    ipython, display = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    ipython.display, ipython.get_ipython = display, lambda: "a shell"
    display.HTML, display.display = lambda text: text, shown.append
    for name, module in (
        ("IPython", ipython),
        ("IPython.display", display),
        ("ipykernel", types.ModuleType("ipykernel")),
    ):
        monkeypatch.setitem(sys.modules, name, module)
    return shown


def test_a_notebook_gets_the_page_in_a_frame_of_its_own(notebook, tmp_path):
    recorded = filmed("rl/Catcher-v0", lazy(3), 5)
    shown = animation.inline(recorded)
    assert shown.count("<") == 4 and animation.page(recorded) in html.unescape(shown)
    animation.write_html(tmp_path / "replay.html", recorded)
    assert animation.inline(tmp_path / "replay.html") == shown


def test_a_replay_is_small(tmp_path):
    play.record(tmp_path, lazy(3), AgentSettings(env_id="rl/Catcher-v0", max_episode_steps=200))
    assert all(1_000 < (tmp_path / name).stat().st_size < 500_000 for name in ("replay.gif", "replay.html"))


# --- --play
# ----------------------------------------------------------------------------------------------------------


@dataclass
class OwnSettings(AgentSettings):
    env_id: str = "rl/Catcher-v0"
    hidden: tuple[int, ...] = (5,)


class Small(Agent):
    def __init__(self, observations, actions, settings, rngs):
        self.model = network(observations, int(actions.n), settings.hidden, rngs.network)

    def preferences(self, observations):
        return self.model.predict(observations)


def trained(tmp_path, **changes):
    """A run folder with a model whose network and environment are not the article's defaults."""
    settings = OwnSettings(out=str(tmp_path), env_id="CartPole-v0", hidden=(3, 4), **changes)
    folder = run_folder.create(settings.out, "small", settings.env_id, settings.seed, as_dict(settings))
    show = Stage(settings.env_id, seed=0)
    agent = Small(show.envs.single_observation_space, show.envs.single_action_space, settings, run_streams())
    agent.save(folder / "best.safetensors")
    return folder


def run_streams():
    from rl.core.seeding import streams

    return streams(0)


@pytest.mark.parametrize("wanted", ["newest", "folder"])
def test_play_without_a_screen_writes_files_and_says_where(tmp_path, capsys, no_screen, wanted):
    folder = trained(tmp_path, max_episode_steps=9)
    wish = OwnSettings(out=str(tmp_path), play="newest" if wanted == "newest" else str(folder))
    play.play_run("small", wish, OwnSettings, Small)
    said = capsys.readouterr().out
    assert "longer game" not in said and said.count("Get reward 9.0.\n") == play.PLAYED_GAMES
    for name in ("replay.gif", "replay.html"):
        assert str(folder / name) in said and (folder / name).is_file()
    assert not (folder / "saliency.png").exists()


def test_play_shows_what_a_network_that_reads_screens_looks_at(tmp_path, capsys, no_screen):
    settings = OwnSettings(out=str(tmp_path), max_episode_steps=6)
    folder = run_folder.create(settings.out, "small", settings.env_id, 0, as_dict(settings))
    show = Stage(settings.env_id, seed=0)
    Small(show.envs.single_observation_space, show.envs.single_action_space, settings, run_streams()).save(
        folder / "best.safetensors"
    )
    play.play_run("small", replace(settings, play="newest"), OwnSettings, Small)
    said = capsys.readouterr().out
    for name in ("saliency.png", "filters.png"):
        assert str(folder / name) in said and (folder / name).stat().st_size > 5_000


def test_play_in_a_notebook_shows_the_page_inline(tmp_path, notebook):
    folder = trained(tmp_path, max_episode_steps=9)
    play.play_run("small", OwnSettings(out=str(tmp_path), play="newest"), OwnSettings, Small)
    assert len(notebook) == 1 and (folder / "replay.html").read_text(encoding="utf-8") in html.unescape(
        notebook[0]
    )


def test_play_without_a_model_says_how_to_train_one(tmp_path):
    wish = OwnSettings(out=str(tmp_path), play="newest")
    with pytest.raises(
        ValueError, match=r"(?s)no trained model of rl\.small in .*\n  train one: python -m rl\.small"
    ):
        play.play_run("small", wish, OwnSettings, Small)


def test_another_environment_means_its_newest_run(tmp_path, no_screen):
    trained(tmp_path, max_episode_steps=9)
    wish = OwnSettings(out=str(tmp_path), play="newest", env_id="CartPole-v1")
    with pytest.raises(ValueError, match="no trained model"):
        play.play_run("small", wish, OwnSettings, Small)
