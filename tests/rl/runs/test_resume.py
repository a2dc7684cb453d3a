"""A run that was stopped and resumed is the run that was never stopped: every weight, generator, game and
line of its logs.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rl.runs.checkpoint import Checkpoints
from tests.same import assert_same

SEGMENTS = Path(__file__).parents[2] / "tools" / "segments.py"
COMMON = "--num-envs 2 --num-threads 1 --keep-going --eval-episodes 2 --save-freq 250".split()
DQN = "--learning-starts 100 --exploration-steps 300 --target-update 20".split()
CARTPOLE = "--env-id CartPole-v0 --max-episode-steps 0 --eval-freq 200 --total-timesteps 800".split()
CATCHER = "--env-id rl/Catcher-v0 --max-episode-steps 60 --eval-freq 150 --total-timesteps 400".split()
RUNS = {
    "dqn CartPole": ("dqn", [*CARTPOLE, *DQN, "--train-freq", "2", "--buffer-size", "300"]),
    "dqn Catcher": ("dqn", [*CATCHER, *DQN, "--train-freq", "20", "--buffer-size", "1400"]),
    "a2c CartPole": ("a2c", CARTPOLE),
    "policy_gradient CartPole": ("policy_gradient", CARTPOLE),
    "value_function CartPole": (
        "value_function",
        [*CARTPOLE, "--learning-starts", "100", "--buffer-size", "300"],
    ),
    "a2c Catcher": ("a2c", [*CATCHER, "--n-steps", "7"]),
}


OUTPUT = {"last": ""}  # what the jobs of the last `run` printed


def run(*jobs, **environment) -> list[int]:
    """The exit codes of these jobs; see segments.py."""
    done = subprocess.run(
        [sys.executable, str(SEGMENTS), json.dumps(jobs)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )
    assert done.returncode == 0, done.stderr
    OUTPUT["last"] = done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def job(article, argv, out, stop_at=None, **more):
    return {"article": article, "argv": [*argv, "--out", str(out)], "stop_at": stop_at, **more}


def state_of(folder: Path) -> dict:
    """All that the next step depends on, without what only measures time."""
    state = Checkpoints(folder).load()
    state["logger"].pop("sizes")  # a rate is written with more or fewer digits
    state["logger"].pop("seconds")
    return state


def table(path: Path, without: str) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        lines = [line for line in file if not line.startswith("#")]
    return [{name: value for name, value in row.items() if name != without} for row in csv.DictReader(lines)]


def assert_same_run(one: Path, two: Path) -> None:
    for name in ("best.safetensors", "last.safetensors", "result.json"):
        assert (one / name).read_bytes() == (two / name).read_bytes(), name
    assert table(one / "progress.csv", "time/fps") == table(two / "progress.csv", "time/fps")
    assert table(one / "monitor.csv", "t") == table(two / "monitor.csv", "t")
    assert_same(state_of(one), state_of(two))


def folder_in(out: Path) -> Path:
    (folder,) = [path for path in out.iterdir() if path.is_dir()]
    return folder


def cut_points(total: int, number: int) -> list[int]:
    return sorted(np.random.default_rng(5).choice(np.arange(1, total - 1), number, replace=False).tolist())


STOPS = [pytest.param(name, 10, marks=pytest.mark.slow if "Catcher" in name else ()) for name in RUNS]
STOPS += [pytest.param(name, 3) for name in RUNS if "Catcher" in name]  # ten are a minute of writing weights


@pytest.mark.parametrize("name, stops", STOPS)
def test_stops_in_new_processes_change_nothing(name, stops, tmp_path):
    article, argv = RUNS[name]
    argv = [*argv, *COMMON]
    total = int(argv[argv.index("--total-timesteps") + 1])
    cuts = cut_points(total, stops)
    straight, stopped = tmp_path / "straight", tmp_path / "stopped"
    again = ["--resume"]
    codes = run(
        job(article, argv, straight),
        job(article, argv, stopped, cuts[0]),
        *(job(article, again, stopped, cut) for cut in cuts[1:]),
        job(article, again, stopped),
    )
    assert codes == [0, *[130] * stops, 0], OUTPUT["last"]
    assert_same_run(folder_in(straight), folder_in(stopped))


def test_a_signal_in_an_evaluation_leaves_it_to_be_done(tmp_path):
    article, argv = RUNS["dqn CartPole"]
    argv = [*argv, *COMMON]
    straight, stopped = tmp_path / "straight", tmp_path / "stopped"
    codes = run(
        job(article, argv, straight),
        job(article, argv, stopped, in_evaluation=1),
        job(article, ["--resume"], stopped, in_evaluation=2, signal="SIGTERM"),
        job(article, ["--resume"], stopped, in_evaluation=4),  # the closing one
        job(article, ["--resume"], stopped),
    )
    assert codes == [0, 130, 143, 130, 0], OUTPUT["last"]
    assert_same_run(folder_in(straight), folder_in(stopped))


def test_twice_the_steps_are_the_same_as_going_on(tmp_path):
    article, argv = RUNS["dqn CartPole"]
    argv = [*argv, *COMMON, "--eval-freq", "0"]
    whole, half = tmp_path / "whole", tmp_path / "half"
    codes = run(
        job(article, [*argv, "--total-timesteps", "800"], whole),
        job(article, [*argv, "--total-timesteps", "400"], half),
        job(article, ["--resume", str(half), "--total-timesteps", "800"], half),
    )
    assert codes == [0, 0, 2], OUTPUT["last"]  # that is no run's folder
    assert run(job(article, ["--resume", str(folder_in(half)), "--total-timesteps", "800"], half)) == [0]
    one, two = state_of(folder_in(whole)), state_of(folder_in(half))
    one.pop("logger"), two.pop("logger")  # rows are written every hundredth of the total
    assert_same(one, two)
    assert (folder_in(whole) / "last.safetensors").read_bytes() == (
        folder_in(half) / "last.safetensors"
    ).read_bytes()


def test_a_killed_run_goes_on_from_its_last_checkpoint(tmp_path):
    article, argv = RUNS["dqn Catcher"]
    argv = [*argv, *COMMON, "--save-freq", "100"]
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    codes = run(
        job(article, argv, straight),
        job(article, argv, killed, 333, signal="SIGKILL"),
        job(article, ["--resume"], killed),
    )
    assert codes == [0, -9, 0], OUTPUT["last"]
    assert "resumed at step 300" in OUTPUT["last"] or "resumed at step 200" in OUTPUT["last"]
    assert_same_run(folder_in(straight), folder_in(killed))


def test_what_is_kept_and_what_may_change(tmp_path):
    article, argv = RUNS["a2c CartPole"]
    argv = [*argv, *COMMON]
    assert run(job(article, argv, tmp_path, 300)) == [130]
    assert "go on:" in OUTPUT["last"] and "--resume" in OUTPUT["last"] and "Traceback" not in OUTPUT["last"]
    folder = folder_in(tmp_path)
    before = (folder / "config.json").read_bytes(), (folder / "checkpoint.safetensors").read_bytes()
    refused = [["--learning-rate", "0.5"], ["--num-envs", "4"], ["--seed", "1"], ["--hidden", "8", "8"]]
    assert run(*(job(article, ["--resume", *change], tmp_path) for change in refused)) == [2] * 4
    for shown in (
        "--learning-rate 0.002 -> 0.5",
        "--num-envs 2 -> 4",
        "--seed 0 -> 1",
        "--hidden (64, 64) -> (8, 8)",
    ):
        assert shown in OUTPUT["last"]
    assert before == ((folder / "config.json").read_bytes(), (folder / "checkpoint.safetensors").read_bytes())
    allowed = "--resume --total-timesteps 400 --eval-freq 0 --save-freq 0".split()
    assert run(job(article, allowed, tmp_path)) == [0]
    codes = run(job(article, ["--resume"], tmp_path), job(article, ["--resume", str(folder)], tmp_path))
    assert codes == [2, 2]
    assert "no unfinished run of rl.a2c" in OUTPUT["last"] and "is finished: 400 steps" in OUTPUT["last"]
    assert run(job(article, ["--resume", str(folder), "--total-timesteps", "500"], tmp_path)) == [0]
    assert (
        json.loads((folder / "config.json").read_text(encoding="utf-8"))["settings"]["total_timesteps"] == 500
    )


def test_a_damaged_checkpoint_is_refused_in_two_lines(tmp_path):
    article, argv = RUNS["a2c CartPole"]
    assert run(job(article, [*argv, *COMMON], tmp_path, 300)) == [130]
    path = folder_in(tmp_path) / "checkpoint.safetensors"
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    assert run(job(article, ["--resume"], tmp_path)) == [2]
    assert "checksum does not match" in OUTPUT["last"] and "Traceback" not in OUTPUT["last"]


def test_games_that_cannot_be_saved_begin_anew_and_say_so(tmp_path):
    argv = "--env-id Acrobot-v1 --total-timesteps 600 --eval-freq 0 --buffer-size 400".split()
    argv += [*DQN, *COMMON]
    codes = run(
        job("dqn", argv, tmp_path, 301),
        job("dqn", ["--resume"], tmp_path, 400),
        job("dqn", ["--resume"], tmp_path),
    )
    assert codes == [130, 130, 0], OUTPUT["last"]
    assert "cannot be saved in the middle of a game" in OUTPUT["last"]
