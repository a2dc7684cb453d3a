"""Article 2: a batch through two layers; back-propagation by loops is the engine's, and the comparison can
fail.
"""

import numpy as np
import pytest

from rl import two_layer


@pytest.mark.parametrize("seed", range(10))
def test_by_hand_and_engine_agree_and_the_step_goes_down(seed, tmp_path, capsys):
    result = two_layer.run(two_layer.Settings(seed=seed, out=str(tmp_path)))
    assert result["equal"] and result["loss_after"] < result["loss"]
    assert "differs" not in capsys.readouterr().out


def test_shapes_and_rows(tmp_path, capsys):
    result = two_layer.run(two_layer.Settings(out=str(tmp_path)))
    assert np.shape(result["batch"]) == (3, 2) and np.shape(result["y"]) == (3, 4)
    h = 1 / (1 + np.exp(-(np.array(result["batch"][1]) @ result["W1"] + result["b1"])))
    np.testing.assert_allclose(
        h @ result["W2"] + result["b2"], result["y"][1], rtol=1e-14
    )  # row 1 out of row 1
    assert "batch (input)  shape (3, 2)" in capsys.readouterr().out


def test_a_forgotten_derivative_is_shown(tmp_path, capsys, monkeypatch):
    right = two_layer.backward_by_hand
    flat = lambda x, h, dy, W2: right(x, [[0.5] * len(row) for row in h], dy, W2)  # noqa: E731
    monkeypatch.setattr(two_layer, "backward_by_hand", flat)
    assert not two_layer.run(two_layer.Settings(out=str(tmp_path)))["equal"]
    assert "differs" in capsys.readouterr().out


def test_command_line(tmp_path, capsys):
    assert two_layer.main(["--batch-size", "5", "--out", str(tmp_path)]) == 0
    assert "shape (5, 4)" in capsys.readouterr().out
    assert two_layer.main(["--batch-size", "0", "--out", str(tmp_path)]) == 2
