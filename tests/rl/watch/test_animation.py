"""The animations: every frame and number of a game is in the files, and the files need nothing else."""

import base64
import html
import io
import json
import re

import numpy as np
import pytest
from PIL import Image, ImageSequence

from rl.watch import animation, play, recording
from rl.watch.stage import Moment, Stage, watch
from tests.rl.watch.scripted import lazy


def film(env_id, agent, steps):
    return play.film(Stage(env_id, seed=1), agent, "A <title> & more", 2, steps)


def colours(recorded):
    return recorded.palette[recorded.frames]


def test_few_colours_are_kept_exactly():
    shown = list(watch(Stage("rl/Catcher-v0", seed=1), lazy(3), 1, 80))
    recorded = recording.make_recording(shown, 30, ("a", "b", "c"), "", "Q value")
    np.testing.assert_array_equal(colours(recorded), [moment.picture for moment in shown])


def test_large_pictures_are_shrunk_and_hardly_changed():
    shown = list(watch(Stage("CartPole-v1", seed=1), lazy(2), 1, 8))
    recorded = recording.make_recording(shown, 50, ("left", "right"), "", "Q value")
    halved = np.stack([np.asarray(Image.fromarray(moment.picture).reduce(2)) for moment in shown])
    assert recorded.frames.shape[1:] == (200, 300)
    assert np.abs(colours(recorded).astype(int) - halved).mean() < 0.1
    assert (colours(recorded)[0, 0, 0] == 255).all()


def test_more_colours_than_a_palette_holds_become_near_ones():
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    picture = np.stack([*np.meshgrid(ramp, ramp), np.full((64, 64), 90, np.uint8)], -1)
    moment = Moment(picture, picture, np.zeros(1), 0, 0.0, 0, 0)
    recorded = recording.make_recording([moment], 30, ("a",), "", "Q value")
    assert len(recorded.palette) <= 256
    assert np.abs(colours(recorded)[0].astype(int) - picture).max() < 48


def test_nothing_to_record_is_an_error():
    with pytest.raises(ValueError, match="no frame"):
        recording.make_recording([], 30, (), "", "")


@pytest.mark.parametrize(
    ("env_id", "actions", "size", "tick"), [("rl/Catcher-v0", 3, 256, 30), ("CartPole-v1", 2, 300, 40)]
)
def test_the_gif_shows_every_frame_for_its_time_and_loops(tmp_path, env_id, actions, size, tick):
    recorded = film(env_id, lazy(actions), 70)
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
    recorded = film(env_id, lazy(actions, 1), 60)
    animation.write_html(tmp_path / "replay.html", recorded)
    data = player_data((tmp_path / "replay.html").read_text(encoding="utf-8"))
    frames = []
    for address in data["sheets"]:
        head, _, content = address.partition(",")
        assert head == "data:image/png;base64"
        sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))).convert("RGB"))
        assert max(sheet.shape) <= animation.SHEET
        for row in np.split(sheet, len(sheet) // data["height"]):
            frames += np.split(row, row.shape[1] // data["width"], axis=1)
    np.testing.assert_array_equal(frames[: len(recorded.frames)], colours(recorded))
    assert data["score"] == [moment.score for moment in recorded.moments]
    assert data["chosen"] == [moment.action for moment in recorded.moments]
    assert data["values"][0] == [float(action == 1) for action in range(actions)]
    assert len(data["values"]) == len(data["game"]) == len(data["step"]) == len(recorded.frames)


def test_frames_beyond_one_sheet_go_on_another():
    shown = list(watch(Stage("CartPole-v1", seed=1), lazy(2), 1, 1))[:1] * 61
    recorded = recording.make_recording(shown, 50, ("left", "right"), "", "Q value")
    data = player_data(animation.render_player(recorded))
    assert (data["columns"], data["rows"], len(data["sheets"])) == (6, 10, 2)


def test_the_page_needs_nothing_from_elsewhere_and_escapes_its_title():
    text = animation.render_player(film("rl/Catcher-v0", lazy(3), 5))
    without_data = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]*", "", text)
    assert not re.search(r"https?:|//\w|@import|url\(|<link|<script \w|\bfetch\b|<img", without_data)
    head, _, body = text.partition("</title>")
    assert head.endswith("<title>A &lt;title&gt; &amp; more") and "<title> " not in body


def test_a_notebook_gets_the_page_in_a_frame_of_its_own(notebook, tmp_path):
    recorded = film("rl/Catcher-v0", lazy(3), 5)
    shown = animation.inline(recorded)
    assert shown.count("<") == 4 and animation.render_player(recorded) in html.unescape(shown)
    animation.write_html(tmp_path / "replay.html", recorded)
    assert animation.inline(tmp_path / "replay.html") == shown
