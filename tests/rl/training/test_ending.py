"""The end of a run: whatever an environment renders, the run is done, and a line says what is left out."""

import sys

import numpy as np
import pytest

from rl import dqn
from rl.sweeps import child
from rl.watch import play, plots
from rl.watch.stage import Stage, watch
from tests.examples import first
from tests.rl.helpers import read_json, run_folder_in, two_lines
from tests.rl.watch.scripted import lazy
from tests.rl.worlds import FEW, STEPS, World, command, failing

PICTURE = np.zeros((20, 30, 3), np.uint8)
SHOWN = {"metadata": {"render_modes": ["rgb_array"]}}


class Shown(World):
    """A World with pictures; `render` returns `picture`."""

    picture = PICTURE

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def render(self):
        return self.picture


def shown(**members):
    return type("Shown", (Shown,), members)


def when_seen(method, problem):
    """A method that fails where the environment has a render_mode."""

    def fail(self, *arguments, **options):
        if self.render_mode is not None:
            raise problem
        return getattr(World, method)(self, *arguments, **options)

    return {method: fail}


def refuse_pictures(self, render_mode=None):
    if render_mode is not None:
        raise OSError("no display")
    self.render_mode = None


NOT_SHOWN = {
    "no metadata": {"metadata": {}, "picture": None},
    "no modes": {"metadata": {"render_modes": []}, "picture": None},
    "human": {"metadata": {"render_modes": ["human"]}, "picture": None},
    "human and ansi": {"metadata": {"render_modes": ["human", "ansi"]}, "picture": "text"},
    "lists": {"metadata": {"render_modes": ["rgb_array_list"]}, "picture": [PICTURE, PICTURE]},
    "modes None": {"metadata": {"render_modes": None}, "picture": None},
    "RuntimeError": {"render": failing(RuntimeError("no OpenGL"))},
    "AttributeError": {"render": failing(AttributeError("viewer"))},
    "SystemExit": {"render": failing(SystemExit(3))},
    "NotImplementedError": {"render": failing(NotImplementedError())},
    "StopIteration": {"render": failing(StopIteration())},
    "None": {"picture": None},
    "floats": {"picture": PICTURE / 255},
    "grey": {"picture": PICTURE[:, :, 0]},
    "four colours": {"picture": np.zeros((20, 30, 4), np.uint8)},
    "empty": {"picture": PICTURE[:0]},
    "objects": {"picture": np.array([[object()]])},
    "constructor": {"__init__": refuse_pictures},
    "reset": when_seen("reset", KeyError("font")),
    "step": when_seen("step", ValueError("frame")),
    "no argument": {"__init__": lambda self: None},
    "names": {"metadata": {"action_names": 5}},
}
each_unseen = pytest.mark.parametrize("members", first(10, NOT_SHOWN.values()), ids=list(NOT_SHOWN))


@each_unseen
def test_a_run_ends_well_without_pictures_and_a_line_says_so(members, tmp_path, capsys, no_screen):
    world = shown(**{**SHOWN, **members})
    assert command(world, tmp_path) == 0
    printed = capsys.readouterr()
    assert printed.out.count("note: no replay: ") == 1 and not printed.err
    assert printed.out.splitlines()[-1].startswith("watch it:  ")
    folder = run_folder_in(tmp_path)
    assert read_json(folder / "result.json")["best_mean_return"] == 0
    assert (folder / "reward.png").is_file() and not (folder / "replay.html").exists()
    assert dqn.main(["--play", str(folder)]) == 2
    first, _ = two_lines(capsys)
    assert "shown" in first or "render" in first


SEEN = {
    "as it should be": {},
    "frames a second: a word": {"metadata": {"render_modes": ["rgb_array"], "render_fps": "fast"}},
    "frames a second: none": {"metadata": {"render_modes": ["rgb_array"], "render_fps": 0}},
    "frames a second: NaN": {"metadata": {"render_modes": ["rgb_array"], "render_fps": float("nan")}},
    "does not close": when_seen("close", RuntimeError("window")),
}


@pytest.mark.parametrize("members", SEEN.values(), ids=list(SEEN))
def test_pictures_are_made_whatever_else_is_odd(members, tmp_path, capsys):
    assert command(shown(**{**SHOWN, **members}), tmp_path) == 0
    printed = capsys.readouterr()
    assert "no replay" not in printed.out and not printed.err
    assert (run_folder_in(tmp_path) / "replay.gif").stat().st_size > 0


def test_sizes_that_change_are_left_out(tmp_path, capsys):
    sizes = iter(range(20, 100))
    world = shown(**SHOWN, render=lambda self: np.zeros((next(sizes), 30, 3), np.uint8))
    assert command(world, tmp_path) == 0
    assert "note: no replay: ValueError" in capsys.readouterr().out


def test_the_score_of_a_run_without_pictures_counts_in_a_sweep(tmp_path, capsys):
    world = shown(**SHOWN, render=failing(RuntimeError("no OpenGL")))
    command(world, tmp_path)
    settings = {**FEW, "env_id": f"World-{id(world)}-v0", "total_timesteps": STEPS}
    (tmp_path / "job").mkdir()
    row = child.measure_run(tmp_path / "job", {"article": "dqn", "settings": settings, "seeds": [3]})
    assert row is not None and row["score"] == 0


SPOILT = {  # what fails, and the note
    "the plot": (
        plots,
        "plot_rewards",
        RuntimeError("font cache"),
        "no reward.png: RuntimeError: font cache",
    ),
    "a full disk": (play, "write_gif", OSError(28, "No space left"), "no replay: OSError"),
    "the page": (play, "write_html", MemoryError(), "no replay: MemoryError"),
}


@pytest.mark.parametrize(("room", "name", "problem", "line"), SPOILT.values(), ids=list(SPOILT))
def test_a_picture_that_cannot_be_made_is_left_out(room, name, problem, line, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(room, name, failing(problem))
    assert command(shown(**SHOWN), tmp_path) == 0
    printed = capsys.readouterr().out
    assert f"note: {line}" in printed and "watch it:" in printed
    assert (run_folder_in(tmp_path) / "result.json").is_file()


def test_a_broken_matplotlib_costs_the_pictures_only(tmp_path, capsys, monkeypatch):
    for module in ("rl.watch.plots", "rl.watch.play"):
        monkeypatch.setitem(sys.modules, module, None)
    assert command(shown(**SHOWN), tmp_path) == 0
    printed = capsys.readouterr().out
    assert "note: no reward.png: " in printed and "note: no replay: " in printed


@pytest.mark.parametrize("room, name", [(plots, "plot_rewards"), (play, "write_gif")])
def test_an_interrupt_while_pictures_are_made_is_one(room, name, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(room, name, failing(KeyboardInterrupt()))
    assert command(shown(**SHOWN), tmp_path) == 130
    assert (run_folder_in(tmp_path) / "result.json").is_file()


def test_play_says_what_a_disk_or_a_missing_package_refuses(tmp_path, capsys, monkeypatch, no_screen):
    assert command(shown(**SHOWN), tmp_path) == 0
    folder = str(run_folder_in(tmp_path))
    for problem, code in (
        (OSError(28, "No space left"), 1),
        (ImportError("no codec"), 2),
        (TypeError("t"), 2),
    ):
        monkeypatch.setattr(play, "write_gif", failing(problem))
        capsys.readouterr()
        assert dqn.main(["--play", folder]) == code
        two_lines(capsys)


def test_saliency_is_an_extra_of_what_is_shown(tmp_path, capsys, monkeypatch, no_screen):
    monkeypatch.setattr(play.saliency, "saliency_plot", failing(RuntimeError("no font")))
    agent = dqn.DQN("rl/Catcher-v0", max_episode_steps=3, num_envs=1)
    with pytest.warns(UserWarning, match="no saliency.png: RuntimeError: no font"):
        agent.play(tmp_path)
    assert (tmp_path / "filters.png").is_file() and (tmp_path / "replay.gif").is_file()
    assert "saliency.png" not in capsys.readouterr().out


def test_an_environment_without_a_goal_is_neither_solved_nor_not(tmp_path, capsys, no_pictures):
    assert command(World, tmp_path) == 0
    printed = capsys.readouterr().out
    assert "goal: best mean return" in printed and f"trained for {STEPS} steps, " in printed
    assert "solved" not in printed
    few = "--total-timesteps 12 --eval-episodes 1 --eval-freq 0 --learning-starts 4".split()
    assert dqn.main(["--env-id", "CartPole-v0", *few, "--out", str(tmp_path / "goal")]) == 0
    assert "not solved in 12 steps" in capsys.readouterr().out


def test_an_evaluation_that_ends_early_says_why(tmp_path, capsys, no_pictures):
    few = "--total-timesteps 8 --eval-episodes 2 --eval-freq 0 --max-episode-steps 200".split()
    assert dqn.main([*few, "--out", str(tmp_path)]) == 0
    assert "goal out of reach" in capsys.readouterr().out


def test_an_environment_that_draws_into_one_array_is_filmed_frame_by_frame():
    canvas = np.zeros((20, 30, 3), np.uint8)

    def render(self):
        canvas[...] = 10 * self.t
        return canvas

    env = shown(**SHOWN, render=render)
    moments = list(watch(Stage(lambda: env("rgb_array"), seed=0), lazy(2), games=1, steps=9))
    assert [int(moment.picture[0, 0, 0]) for moment in moments] == [0, 10, 20, 30, 40, 50]
