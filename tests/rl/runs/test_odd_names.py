"""Folders and files whose names are no text: bytes that are not UTF-8, as old archives leave them."""

import json
import os
import sys

import numpy as np
import pytest

import rl
from nnlite import Sequential, load_model
from nnlite.layers import Dense
from rl import DQN
from rl import __main__ as listing
from rl.housing.data import COLUMNS, TARGET, synthetic
from rl.runs.run_folder import write_json
from tests.rl.helpers import read_json, run_folder_in, two_lines

NAME = "r\udcffuns"  # b"r\xffuns", as Python spells it
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="macOS and Windows have names of text only")
SHORT = {
    "one_layer": "",
    "two_layer": "",
    "housing": "--data synthetic --epochs 1",
    "digits": "--epochs 1",
    "bandit": "--num-sims 10",
    "maze": "--max-episodes 20",
    "value_function": "--total-timesteps 300 --eval-episodes 1",
}


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """A folder of that name; the current folder is the one around it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SDL_VIDEODRIVER")  # no window, which would stay open
    (tmp_path / NAME).mkdir()
    return tmp_path / NAME


def run(*words):
    assert listing.main([*words]) == 0


QUICK = ("value_function", "maze")
LONG = [pytest.param(name, marks=pytest.mark.thorough) for name in SHORT if name not in QUICK]


@pytest.mark.parametrize("name", [*QUICK, *LONG])
def test_a_run_is_written_and_its_settings_are_read_back(name, odd, capsys):
    run(name, *SHORT[name].split(), "--out", NAME)
    folder = run_folder_in(odd)
    assert read_json(folder / "config.json")["settings"]["out"] == NAME
    assert b"r\xffuns/" in os.fsencode(folder)
    out, err = capsys.readouterr()
    assert "r?uns/" in out and err == ""
    if name != "value_function":
        run(name, "--config", str(folder / "config.json"), "--out", "elsewhere")


@pytest.mark.thorough
def test_a_run_is_shown_resumed_plotted_and_compared(odd):
    run("maze", "--max-episodes", "20", "--out", NAME)
    folder = run_folder_in(odd)
    run("maze", "--play", str(folder))
    run("maze", "--resume", str(folder), "--max-episodes", "30")
    run("maze", "--maze", str(folder / "maze.txt"), "--max-episodes", "5")
    run("value_function", "--total-timesteps", "2000", "--out", NAME)
    agent = run_folder_in(odd, "value*")
    run("value_function", "--play", "--out", NAME)
    run("plot", str(agent), "--out", "r\udcff.png")
    run("compare", str(agent), "--out", "r\udcff.html")
    for page in (agent / "replay.html", "r\udcff.html", folder / "replay.html"):
        with open(page, encoding="utf-8") as file:
            assert "<html" in file.read()


@pytest.mark.thorough
def test_a_sweep_runs_there(odd):
    run("sweep", "value_function", "--seeds", "0:1", "--set", "total-timesteps=300", "--out", NAME)
    run("sweep", "--resume", str(run_folder_in(odd)))


def test_a_table_of_that_name_is_read(odd, capsys):
    table, path = synthetic(np.random.default_rng(0), 20), "t\udcff.csv"
    rows = np.column_stack([table.x, table.y])
    heading = ",".join((*COLUMNS, TARGET))
    with open(path, "w", encoding="utf-8") as file:
        np.savetxt(file, rows, delimiter=",", header=heading, comments="")
    run("housing", "--data", path, "--epochs", "1")
    for words in (["--data", "no\udcff.csv"], ["--config", "no\udcff.json"]):
        assert listing.main(["housing", *words]) == 2
        two_lines(capsys)


def test_models_and_agents_are_saved_under_that_name(odd):
    model = Sequential([Dense(2)], seed=0).build((3,))
    model.save("m\udcff")
    assert load_model("m\udcff").count_params() == model.count_params()
    agent = DQN("CartPole-v1", seed=0)
    agent.save("a\udcff")
    assert isinstance(rl.load("a\udcff"), DQN)


def test_readable_json_keeps_what_is_no_text(tmp_path):
    write_json(tmp_path / "x.json", data := {"out": NAME, "title": "層 ε \\udcff"})
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == data
