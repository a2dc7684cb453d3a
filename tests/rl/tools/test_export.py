"""`python -m rl export`: runs with screens, vectors and no environment; what a wrong request gets."""

import importlib.util
from dataclasses import asdict

import numpy as np
import pytest

from nnlite import Sequential, layers, onnx_export
from rl import a2c, digits
from rl.core.networks import make_network
from rl.core.observer import make_observed
from rl.runs import run_folder
from rl.tools import export
from tests.rl.helpers import two_lines

ONNX = all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime"))
needs_onnx = pytest.mark.skipif(not ONNX, reason="needs onnx: pip install -e '.[dev]'")


def make_run(root, article, settings, model):
    folder = run_folder.create(str(root), article, getattr(settings, "env_id", "data"), 0, asdict(settings))
    model.save(folder / "best.safetensors")
    return folder


def agents_run(root, env_id, outputs):
    envs = make_observed(env_id, 1)
    model = make_network(envs.single_observation_space, outputs, (16,), np.random.default_rng(0))
    return make_run(root, "a2c", a2c.Settings(env_id=env_id), model)


@needs_onnx
@pytest.mark.parametrize(
    "env_id, outputs, reads",
    [("rl/Catcher-v0", 4, "(N, 80, 80, 4) uint8"), ("CartPole-v0", 3, "(N, 4) float32")],
)
def test_an_agents_network(tmp_path, capsys, env_id, outputs, reads):
    folder, path = agents_run(tmp_path, env_id, outputs), tmp_path / "model.onnx"
    assert export.main([str(folder), str(path)]) == 0
    said = capsys.readouterr().out
    for words in (reads, "1,000 states", "equal within 1e-05", "then the value"):
        assert words in said


@needs_onnx
@pytest.mark.parametrize("recipe, reads", [(digits.article_model, "float32"), (digits.best_model, "uint8")])
def test_a_network_of_digits(tmp_path, capsys, recipe, reads):
    folder = make_run(tmp_path, "digits", digits.Settings(), recipe(np.random.default_rng(0)))
    assert export.main([str(folder), str(tmp_path / "digits.onnx")]) == 0
    said = capsys.readouterr().out
    assert f"(N, 8, 8, 1) {reads}" in said and "1,000 random inputs" in said


@needs_onnx
def test_an_articles_name_means_its_newest_run(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert export.main(["a2c"]) == 2
    assert "train one: python -m rl.a2c" in two_lines(capsys)[1]
    agents_run(tmp_path / "runs", "CartPole-v0", 3)
    assert export.main(["a2c"]) == 0 and (tmp_path / "model.onnx").is_file()


@needs_onnx
def test_a_file_that_computes_something_else_is_told(tmp_path, capsys, monkeypatch):
    def wrong(model, path, notes):
        other = Sequential([layers.Dense(3, input_shape=(4,))], seed=1).build()
        right(other, path, notes)

    right = onnx_export.save_onnx
    monkeypatch.setattr(onnx_export, "save_onnx", wrong)
    assert export.main([str(agents_run(tmp_path, "CartPole-v0", 3)), str(tmp_path / "m.onnx")]) == 1
    assert "NOT equal" in capsys.readouterr().out


def test_states_of_games_differ(tmp_path):
    envs = make_observed("CartPole-v0", 1)
    model = make_network(envs.single_observation_space, 2, (8,), np.random.default_rng(0))
    states = export.play_states(model, "CartPole-v0")
    assert states.shape == (1000, 4) and len(np.unique(states, axis=0)) > 900


@needs_onnx
def test_wrong_requests_get_two_lines_and_exit_code_2(tmp_path, capsys):
    run = str(agents_run(tmp_path, "CartPole-v0", 3))
    targets = ["model.pb"], [str(tmp_path / "none" / "m.onnx")], ["m.onnx", "--opset", "9"]
    for argv in ([], ["nowhere", "m.onnx"], *([run, *words] for words in targets)):
        assert export.main(argv) == 2, argv
        two_lines(capsys)


def test_without_onnx_it_says_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert export.main([str(tmp_path), "m.onnx"]) == 2
    assert "pip install onnx onnxruntime" in " ".join(two_lines(capsys))
