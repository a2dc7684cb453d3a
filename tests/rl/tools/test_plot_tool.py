"""`python -m rl plot`: what is read, what is put together, what is drawn, and what a wrong request gets."""

import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image, ImageColor

from rl.pages import curves, lines
from rl.pages.curves import Curve
from rl.pages.groups import group_by_settings
from rl.tools import plot
from rl.watch.plots import new_figure
from tests.rl.helpers import two_lines


def make_run(root, name, returns, lengths=None, **settings):
    folder = root / name
    folder.mkdir()
    settings = {"env_id": "CartPole-v0", "gamma": 0.9, "seed": 0, "out": str(root), **settings}
    config = json.dumps({"article": "dqn", "settings": settings})
    (folder / "config.json").write_text(config, encoding="utf-8")
    games = zip(returns, lengths or [10] * len(returns))
    rows = [f"{r},{length},{0.5 * (i + 1)}\n" for i, (r, length) in enumerate(games)]
    (folder / "monitor.csv").write_text("".join(['#{"t_start": 0}\nr,l,t\n', *rows]), encoding="utf-8")
    return folder


def test_a_curve_is_read_along_each_axis(tmp_path):
    folder = make_run(tmp_path, "a", [1, 2, 5], [10, 20, 5])
    for axis, x in (("steps", [10, 30, 35]), ("episodes", [1, 2, 3]), ("seconds", [0.5, 1, 1.5])):
        curve = curves.read_curve(folder, axis)
        np.testing.assert_array_equal(curve.x, x)
        np.testing.assert_array_equal(curve.returns, [1, 2, 5])


def test_a_point_is_the_mean_of_the_last_episodes():
    means, deviations = curves.smooth(np.array([0.0, 2, 4, 6]), 2)
    np.testing.assert_array_equal(means, [0, 1, 3, 5])
    np.testing.assert_array_equal(deviations, [0, 1, 1, 1])


def test_runs_that_differ_in_their_seed_only_are_one_setting(tmp_path):
    rates = enumerate((0.9, 0.5, 0.9, 0.9))
    folders = [make_run(tmp_path, f"r{i}", [1, 2], seed=i, gamma=gamma) for i, gamma in rates]
    groups = group_by_settings([curves.read_curve(folder, "steps") for folder in folders])
    sizes = {label: len(members) for label, members in groups}
    assert sizes == {"--gamma 0.9": 3, "--gamma 0.5": 1}


def test_the_mean_over_seeds_ends_where_the_first_run_ends():
    def line(level, length):
        return Curve(np.arange(1.0, length + 1), np.full(length, float(level)), "dqn", {})

    x, means, deviations = curves.average_over_seeds([line(1, 50), line(5, 20)], window=1)
    assert x[0] == 1 and x[-1] == 20
    np.testing.assert_allclose(means, 3)
    np.testing.assert_allclose(deviations, 2)
    later = Curve(np.array([60.0, 61]), np.zeros(2), "dqn", {})
    assert len(curves.average_over_seeds([line(1, 50), later], 1)[0]) == 0


@pytest.mark.parametrize("axis", ["steps", "episodes", "seconds"])
def test_the_picture_shows_every_setting(tmp_path, capsys, axis):
    rng = np.random.default_rng(0)
    returns = [list(rng.normal(20 * i, 1, 30)) for i in range(3)]
    names = [str(make_run(tmp_path, f"r{i}", returns[i], seed=i, gamma=(0.9, 0.9, 0.5)[i])) for i in range(3)]
    out = tmp_path / "curves.png"
    assert plot.main([*names, "--out", str(out), "--x", axis]) == 0
    assert "3 run(s), 2 setting(s)" in capsys.readouterr().out
    with Image.open(out) as image:
        pixels = np.asarray(image.convert("RGB"))
    for colour, shown in zip(lines.COLOURS, (True, True, False)):
        assert (pixels == ImageColor.getrgb(colour)).all(axis=2).any() == shown


def test_evaluations_and_the_goal_are_drawn_and_explained(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(plot, "new_figure", lambda *texts: figures.append(new_figure(*texts)) or figures[-1])
    folder = make_run(tmp_path, "a", [1, 2, 5, 9])
    header = "steps,episodes,seconds,mean,complete,solved"
    rows = "10,1,0.5,3,1,0\n20,2,1,7,0,0\n40,4,2,8,1,1\n"
    (folder / "evaluations.csv").write_text(f"{header}\n{rows}", encoding="utf-8")
    (folder / "result.json").write_text('{"goal_return": 7.5}', encoding="utf-8")
    other = make_run(tmp_path, "b", [1, 2, 5, 9], seed=1)
    draw_both = [str(folder), str(other), "--out", str(tmp_path / "c.png")]
    assert plot.main([str(folder), "--out", str(tmp_path / "c.png")]) == 0
    assert plot.main(draw_both) == 0
    one, two = ({tuple(line.get_xdata()) for line in axes.lines} for _, axes in figures)
    assert {(10.0,), (40.0,), (0, 1)} <= one, "evaluation, solving evaluation, goal"
    assert (40.0,) in two and (10.0,) not in two and (0, 1) not in two, "the goal is not that of both"
    captions = [figure.get_supxlabel() for figure, _ in figures]
    assert "diamond: evaluation; star: solved" in captions[0] and "thin lines: single runs" in captions[1]


def test_svg_and_patterns(tmp_path):
    for i in range(2):
        make_run(tmp_path, f"dqn__{i}", [1, 2, 3], seed=i)
    (tmp_path / "dqn__not_a_run").mkdir()
    out = tmp_path / "curves.svg"
    assert plot.main([str(tmp_path / "dqn__*"), "--out", str(out)]) == 0
    assert ElementTree.parse(out).getroot().tag.endswith("svg")


def test_one_episode_is_enough(tmp_path):
    assert plot.main([str(make_run(tmp_path, "a", [3])), "--out", str(tmp_path / "one.png")]) == 0


def test_wrong_requests_get_two_lines_and_exit_code_2(tmp_path, capsys):
    good, empty = str(make_run(tmp_path, "good", [1])), str(make_run(tmp_path, "empty", []))
    damaged = make_run(tmp_path, "damaged", [1])
    (damaged / "monitor.csv").write_text("#{}\nr,l,t\n1,two,3\n", encoding="utf-8")
    folders = [], ["nowhere"], [str(tmp_path)], [empty], [str(damaged)]
    nowhere = f"--out {tmp_path / 'none' / 'c.png'}"
    options = "--out curves.pdf", nowhere, "--x years", "--window -1", "--colour red"
    for argv in (*folders, *([good, *option.split()] for option in options)):
        assert plot.main(argv) == 2, argv
        two_lines(capsys)
