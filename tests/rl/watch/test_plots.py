"""The reward plot and the saliency pictures; drawing leaves no trace in matplotlib."""

import numpy as np
import pytest
from PIL import Image, ImageColor

from nnlite import Sequential
from nnlite.layers import Conv2D, Dense, Flatten, Rescaling
from rl.runs.evaluations import Mark
from rl.watch import plots, saliency
from rl.watch.stage import Moment
from tests.processes import run_python


def picture(path):
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def has(pixels, colour):
    return bool((pixels == ImageColor.getrgb(colour)).all(axis=2).any())


@pytest.mark.parametrize("episodes", [0, 1, 9, 10, 11, 60, 5001])
def test_any_number_of_episodes_is_drawn(tmp_path, episodes):
    plots.plot_rewards(tmp_path / "reward.png", list(np.linspace(-8, 30, episodes)), "a title")
    pixels = picture(tmp_path / "reward.png")
    assert min(pixels.shape[:2]) > 400
    assert has(pixels, plots.LINE) == (episodes >= 10)


def test_a_point_is_the_mean_and_deviation_of_ten_episodes_never_of_fewer():
    returns = [0.0] * 5 + [2.0] * 5 + [7.0] * 10 + [1.0, 5.0]
    ends, means, deviations = plots.average_intervals(returns, 10)
    np.testing.assert_array_equal(ends, [10, 20])
    np.testing.assert_array_equal(means, [1, 7])
    np.testing.assert_array_equal(deviations, [1, 0])


def test_evaluations_the_goal_and_the_solving_one_are_marked(tmp_path):
    marks = [Mark(5, 3.0, False), Mark(12, 19.0, True)]
    axes = plots.new_figure("title", "episode", "return")[1]
    plots.draw_goal(axes, 18.0)
    plots.draw_marks(axes, marks, plots.EVALUATED)
    drawn = {line.get_label(): np.column_stack(line.get_data()).tolist() for line in axes.lines}
    assert drawn == {"goal 18": [[0, 18], [1, 18]], "evaluation": [[5, 3]], "solved": [[12, 19]]}
    plots.plot_rewards(tmp_path / "reward.png", [1.0] * 12, "a title", marks, 18.0)
    assert has(picture(tmp_path / "reward.png"), plots.EVALUATED)


def test_drawing_loads_no_pyplot():
    """pyplot would choose a backend and keep every figure."""
    code = (
        "import io, sys; from rl.watch.plots import plot_rewards; assert 'matplotlib' not in sys.modules;"
        "plot_rewards(io.BytesIO(), [1.0, 2.0], 'x'); assert 'matplotlib.pyplot' not in sys.modules"
    )
    run_python("-c", code)


def linear_eye(points):
    """A network whose output a is the pixel points[a] of the last of two frames, 16 x 20."""
    model = Sequential([Rescaling(1 / 255), Flatten(), Dense(len(points))]).build((16, 20, 2))
    kernel = np.zeros((16, 20, 2, len(points)), np.float32)
    for action, (y, x) in enumerate(points):
        kernel[y, x, 1, action] = -1
    model.set_weights([kernel.reshape(-1, len(points)), np.zeros(len(points), np.float32)])
    return model


def test_saliency_is_where_the_value_of_that_action_comes_from():
    points = [(3, 15), (12, 4)]
    model = linear_eye(points)
    observation = np.full((1, 16, 20, 2), 9, np.uint8)
    for action, point in enumerate(points):
        heat = saliency.saliency(model, observation, action)
        assert heat.shape == (16, 20) and heat.max() == 1
        assert np.unravel_index(heat.argmax(), heat.shape) == point
        assert heat[points[1 - action]] == 0


def test_saliency_of_a_network_that_sees_nothing_is_nothing():
    model = linear_eye([(1, 1)])
    model.params[:] = 0
    assert not saliency.saliency(model, np.zeros((1, 16, 20, 2), np.uint8), 0).any()


def test_overlay_leaves_cold_pixels_and_heats_the_others():
    screen = np.zeros((16, 20, 3), np.uint8)
    screen[0, 0] = 200
    heat = np.zeros((16, 20))
    np.testing.assert_array_equal(saliency.overlay(screen, heat), screen.repeat(12, 0).repeat(12, 1))
    heat[8, 10] = 1
    glow = saliency.overlay(screen, heat)
    red, green, blue = glow[8 * 12 + 6, 10 * 12 + 6].astype(int)
    assert red > green > blue == 0 and red > 150
    assert (glow[100:140, 10] == 0).all()


def test_filter_tiles_show_every_patch_once():
    kernel = np.arange(3 * 3 * 2 * 5, dtype=float).reshape(3, 3, 2, 5)
    tiles = saliency.filter_tiles(kernel, columns=2)
    np.testing.assert_array_equal(np.sort(tiles[~np.isnan(tiles)]), np.arange(kernel.size))
    np.testing.assert_array_equal(tiles[0:3, 4:7], kernel[:, :, 1, 0])
    np.testing.assert_array_equal(tiles[5:8, 0:3], kernel[:, :, 0, 2])


def test_pictures_of_a_convolutional_network_are_written(tmp_path):
    chain = [Rescaling(1 / 255), Conv2D(6, 4, 2, activation="relu"), Flatten(), Dense(3)]
    model, rng = Sequential(chain, seed=0).build((16, 20, 2)), np.random.default_rng(0)
    pictures = rng.integers(0, 255, (3, 16, 20, 3), np.uint8)
    seen = rng.integers(0, 255, (3, 1, 16, 20, 2), np.uint8)
    moments = [Moment(*both, np.zeros(3), a, 0.0, 0, 0) for *both, a in zip(pictures, seen, (0, 2, -1))]
    saliency.saliency_plot(tmp_path / "saliency.png", model, moments, ("left", "right", "stay"))
    saliency.filters_plot(tmp_path / "filters.png", model)
    for name in ("saliency.png", "filters.png"):
        assert len(np.unique(picture(tmp_path / name).reshape(-1, 3), axis=0)) > 50


def test_saliency_shows_moments_of_one_game_in_their_order(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(
        saliency, "blank_figure", lambda *size: figures.append(plots.blank_figure(*size)) or figures[-1]
    )
    blank, seen, values = np.zeros((16, 20, 3), np.uint8), np.zeros((1, 16, 20, 2), np.uint8), np.zeros(2)
    games = [(0, step) for step in range(3)] + [(1, step) for step in range(0, 90, 10)]
    moments = [Moment(blank, seen, values, 0, 0.0, game, step) for game, step in games]
    saliency.saliency_plot(tmp_path / "s.png", linear_eye([(1, 1), (2, 2)]), moments, ("left", "right"))
    titles = [axes.get_title() for axes in figures[0].axes if axes.get_title()]
    assert titles == [f"step {step}: left" for step in (0, 10, 30, 40, 60, 80)]
    assert figures[0].get_suptitle().startswith("Game 2")


def test_filters_need_a_convolution(tmp_path):
    with pytest.raises(ValueError, match="no convolution"):
        saliency.filters_plot(tmp_path / "filters.png", linear_eye([(0, 0)]))
