"""Articles 1 and 2: the gradient worked by hand is the engine's, and the comparison can fail."""

import re

import numpy as np
import pytest

from rl import one_layer, two_layer
from rl.command import matrices
from tests.rl.helpers import read_json, run_folder_in

articles = pytest.mark.parametrize("article", [one_layer, two_layer])


def result_of(article, out, **settings):
    return article.run(article.Settings(out=str(out), **settings))


@articles
@pytest.mark.parametrize("seed", range(10))
def test_by_hand_and_engine_agree_and_the_step_goes_down(article, seed, tmp_path, capsys):
    result = result_of(article, tmp_path, seed=seed)
    assert result["equal"] and result["loss_after"] < result["loss"]
    text = capsys.readouterr().out
    assert "Equal in every digit shown: yes" in text and "differs" not in text


@articles
def test_one_seed_one_result(article, tmp_path):
    one, same, other = (result_of(article, tmp_path, seed=seed) for seed in (4, 4, 5))
    assert one == same and one["y"] != other["y"]


def test_one_layer_has_the_shapes_and_values_of_the_article(tmp_path):
    result = result_of(one_layer, tmp_path)
    shapes = {name: np.shape(result[name]) for name in ("W", "b", "x", "y", "dW", "db")}
    assert shapes == {"W": (2, 4), "b": (4,), "x": (1, 2), "y": (1, 4), "dW": (2, 4), "db": (4,)}
    np.testing.assert_allclose(np.array(result["x"]) @ result["W"] + result["b"], result["y"], rtol=1e-14)
    assert read_json(run_folder_in(tmp_path) / "result.json")["y"] == result["y"]


def test_two_layers_take_a_batch_row_by_row(tmp_path, capsys):
    result = result_of(two_layer, tmp_path)
    assert np.shape(result["batch"]) == (3, 2) and np.shape(result["y"]) == (3, 4)
    h = 1 / (1 + np.exp(-(np.array(result["batch"][1]) @ result["W1"] + result["b1"])))
    np.testing.assert_allclose(h @ result["W2"] + result["b2"], result["y"][1], rtol=1e-14)
    assert "batch (input)  shape (3, 2)" in capsys.readouterr().out


def test_a_wrong_sign_and_a_forgotten_derivative_are_shown(tmp_path, capsys, monkeypatch):
    def sign_error(x, y, target, right=one_layer.gradient_by_hand):
        dy, dW, db = right(x, y, target)
        return dy, [[-value for value in row] for row in dW], db

    def flat(x, h, dy, W2, right=two_layer.backward_by_hand):
        return right(x, [[0.5] * len(row) for row in h], dy, W2)

    monkeypatch.setattr(one_layer, "gradient_by_hand", sign_error)
    monkeypatch.setattr(two_layer, "backward_by_hand", flat)
    for article in (one_layer, two_layer):
        assert not result_of(article, tmp_path)["equal"]
        text = capsys.readouterr().out
        assert "Equal in every digit shown: NO" in text and text.count("<- differs") >= 2


def test_a_difference_in_the_last_digit_shown_is_seen(capsys):
    assert matrices.compare("same", [1.0, 2.0], np.array([1.0, 2.0 + 1e-9]))
    assert not matrices.compare("other", [1.0, 2.0], np.array([1.0, 2.000002]))
    assert matrices.format_rows([-1e-9, 1.0]) == ["  0.000000   1.000000"]
    assert re.search(r"2\.000000 +1\.000000   2\.000002   <- differs", capsys.readouterr().out)


def test_command_lines(tmp_path, capsys):
    out = ["--out", str(tmp_path)]
    assert one_layer.main(["--seed", "2", *out]) == 0
    assert two_layer.main(["--batch-size", "5", *out]) == 0
    assert "shape (5, 4)" in capsys.readouterr().out
    assert one_layer.main(["--learning-rate", "0", *out]) == two_layer.main(["--batch-size", "0", *out]) == 2
    assert "error: --learning-rate is 0" in capsys.readouterr().err
