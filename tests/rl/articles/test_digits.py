"""Article 4: the article's recipe reads digits and writes a report; the better recipe reads better."""

import numpy as np
import pytest

from nnlite import load_model
from rl import digits
from rl.digits.command import main
from rl.digits.plots import draw_confusion, draw_misread
from tests.rl.helpers import read_json, run_folder_in, two_lines


def test_the_article_as_a_command(tmp_path, capsys):
    assert main(["--epochs", "4", "--out", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "Epoch 4/4" in text and "precision" in text and "macro avg" in text and "Accuracy" in text
    folder = run_folder_in(tmp_path, "digits__article__*")
    result = read_json(folder / "result.json")
    assert result["accuracy"] > 0.8 and np.sum(result["confusion"]) == 594
    assert np.trace(result["confusion"]) == round(result["accuracy"] * 594)
    for name in ("confusion.png", "misread.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    assert load_model(folder / "best.safetensors").predict(np.zeros((1, 8, 8, 1))).shape == (1, 10)


def test_the_better_recipe_learns_in_few_epochs():
    assert digits.learn(digits.Settings(recipe="best", epochs=4), verbose=0).accuracy > 0.93


def test_one_seed_one_result():
    def probabilities(seed):
        return digits.learn(digits.Settings(seed=seed, epochs=1), verbose=0).probabilities

    one, same, other = probabilities(1), probabilities(1), probabilities(2)
    assert np.array_equal(one, same) and not np.array_equal(one, other)


def test_the_networks_are_those_of_the_docstrings():
    rng = np.random.default_rng(0)
    shapes = [layer.output_shape for layer in digits.article_model(rng).build().layers]
    assert shapes == [(8, 8, 5), (8, 8, 3), (192,), (10,)]
    shapes = [layer.output_shape for layer in digits.best_model(rng).build().layers]
    assert shapes[1:4] == [(8, 8, 16), (4, 4, 32), (4, 4, 32)] and shapes[4] == (512,)


def test_moved_images_are_shifts_by_one_pixel():
    image = np.zeros((500, 8, 8, 1))
    image[:, 3, 4] = 1.0
    result = digits.move_images(image, np.random.default_rng(0))
    assert (result.sum(axis=(1, 2, 3)) == 1).all()
    rows, columns = np.nonzero(result[..., 0])[1:]
    assert set(rows) == {2, 3, 4} and set(columns) == {3, 4, 5}
    assert np.mean(rows == 3) == pytest.approx(2 / 3, abs=0.08)  # half stand still, a third of the others too
    edge = np.zeros((200, 8, 8, 1))
    edge[:, 0] = 1.0
    assert set(digits.move_images(edge, np.random.default_rng(0)).sum(axis=(1, 2, 3))) == {0.0, 7.0, 8.0}


def test_pictures_of_no_mistake_and_of_many(tmp_path):
    for n in (0, 130):
        images, labels, chances = np.zeros((n, 8, 8)), np.zeros(n, int), np.full((n, 10), 0.1)
        draw_misread(tmp_path / f"{n}.png", images, labels, chances, 594)
    draw_confusion(tmp_path / "confusion.png", np.diag([3] * 10), "all right")
    assert len(list(tmp_path.glob("*.png"))) == 3


@pytest.mark.parametrize("wrong", [["--recipe", "worst"], ["--epochs", "-1"], ["--test-size", "0"]])
def test_wrong_settings(wrong, tmp_path, capsys):
    assert main([*wrong, "--out", str(tmp_path)]) == 2
    two_lines(capsys)


@pytest.mark.slow
@pytest.mark.parametrize("recipe, seeds, least, most", [("article", 20, 0.90, 0.955), ("best", 10, 0.985, 1)])
def test_median_accuracy_of_many_seeds(recipe, seeds, least, most):
    settings = [digits.Settings(seed=seed, recipe=recipe) for seed in range(seeds)]
    reached = [digits.learn(each, verbose=0).accuracy for each in settings]
    assert least <= np.median(reached) <= most, sorted(reached)
