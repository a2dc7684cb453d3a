"""Article 1: shapes as in the article; the gradient worked by hand is the engine's, and the comparison can
fail.
"""

import json
import re

import numpy as np
import pytest

from rl import one_layer
from rl.command import matrices


@pytest.mark.parametrize("seed", range(10))
def test_by_hand_and_engine_agree_and_the_step_goes_down(seed, tmp_path, capsys):
    result = one_layer.run(one_layer.Settings(seed=seed, out=str(tmp_path)))
    assert result["equal"] and result["loss_after"] < result["loss"]
    text = capsys.readouterr().out
    assert "Equal in every digit shown: yes" in text and "differs" not in text


def test_shapes_and_values_are_those_of_the_article(tmp_path):
    result = one_layer.run(one_layer.Settings(out=str(tmp_path)))
    shapes = {name: np.shape(result[name]) for name in ("W", "b", "x", "y", "dW", "db")}
    assert shapes == {"W": (2, 4), "b": (4,), "x": (1, 2), "y": (1, 4), "dW": (2, 4), "db": (4,)}
    np.testing.assert_allclose(np.array(result["x"]) @ result["W"] + result["b"], result["y"], rtol=1e-14)
    (folder,) = tmp_path.glob("one_layer__*")
    assert json.loads((folder / "result.json").read_text(encoding="utf-8"))["y"] == result["y"]


def test_a_wrong_gradient_is_shown(tmp_path, capsys, monkeypatch):
    right = one_layer.gradient_by_hand

    def sign_error(x, y, target):
        dy, dW, db = right(x, y, target)
        return dy, [[-value for value in row] for row in dW], db

    monkeypatch.setattr(one_layer, "gradient_by_hand", sign_error)
    assert not one_layer.run(one_layer.Settings(out=str(tmp_path)))["equal"]
    text = capsys.readouterr().out
    assert "Equal in every digit shown: NO" in text and text.count("<- differs") == 2


def test_one_seed_one_result(tmp_path):
    def result(seed):
        return one_layer.run(one_layer.Settings(seed=seed, out=str(tmp_path)))

    assert result(4) == result(4) and result(4)["W"] != result(5)["W"]


def test_a_difference_in_the_last_digit_shown_is_seen(capsys):
    assert matrices.compare("same", [1.0, 2.0], np.array([1.0, 2.0 + 1e-9]))
    assert not matrices.compare("other", [1.0, 2.0], np.array([1.0, 2.000002]))
    assert matrices.format_rows([-1e-9, 1.0]) == ["  0.000000   1.000000"]
    assert re.search(r"2\.000000 +1\.000000   2\.000002   <- differs", capsys.readouterr().out)


def test_command_line(tmp_path, capsys):
    assert one_layer.main(["--seed", "2", "--out", str(tmp_path)]) == 0
    assert one_layer.main(["--learning-rate", "0", "--out", str(tmp_path)]) == 2
    assert "error: --learning-rate is 0" in capsys.readouterr().err
