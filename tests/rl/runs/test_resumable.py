"""The simulators' commands, stopped and resumed in new processes, give what they give undisturbed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rl.bandit import command as bandit
from rl.maze import command as maze
from rl.runs.resumable import STATE
from rl.runs.state_file import load_state
from tests.rl.runs.test_resume import OUTPUT, folder_in, job, run
from tests.same import assert_same

RUNS = {  # article: flags, plays or episodes of a piece, number of pieces, files that must be equal
    "bandit": (
        ["--num-sims", "60", "--num-time", "20", "--seed", "3"],
        100,
        6 * 12,
        ("curves.csv", "rewards.png", "regret.png"),
    ),
    "maze": (
        ["--size", "4x3", "--seed", "2", "--max-episodes", "300"],
        7,
        42,
        ("progress.csv", "maze.txt", "policy.png", "replay.html"),
    ),
}


def without_time(state):
    """A state or a result without what measures time, or tells the folder."""
    if isinstance(state, dict):
        return {
            name: without_time(value) for name, value in state.items() if name not in ("seconds", "folder")
        }
    return [without_time(value) for value in state] if isinstance(state, list) else state


def assert_same_run(one: Path, two: Path, files: tuple[str, ...]) -> None:
    for name in files:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name
    assert_same(without_time(load_state(one / STATE)), without_time(load_state(two / STATE)))
    results = [json.loads((folder / "result.json").read_text(encoding="utf-8")) for folder in (one, two)]
    assert without_time(results[0]) == without_time(results[1])


@pytest.mark.parametrize("article", RUNS)
def test_ten_stops_in_new_processes_change_nothing(article, tmp_path):
    argv, piece, pieces, files = RUNS[article]
    cuts = sorted(np.random.default_rng(1).choice(np.arange(1, pieces), 10, replace=False).tolist())
    stops = np.diff([0, *cuts]).tolist()  # pieces from one stop to the next
    straight, stopped = tmp_path / "straight", tmp_path / "stopped"
    codes = run(
        job(article, argv, straight),
        job(article, argv, stopped, stops[0], piece=piece),
        *(job(article, ["--resume"], stopped, stop, piece=piece, signal="SIGTERM") for stop in stops[1:]),
        job(article, ["--resume"], stopped, piece=piece),
    )
    assert codes == [0, 130, *[143] * 9, 0], OUTPUT["last"]
    assert f"-m rl.{article} --resume {folder_in(stopped)}" in OUTPUT["last"]
    assert_same_run(folder_in(straight), folder_in(stopped), files)


def test_more_simulations_later_are_the_same_as_at_once(tmp_path, capsys):
    flags = ["--num-time", "30", "--seed", "5"]
    assert bandit.main([*flags, "--num-sims", "40", "--out", str(tmp_path / "a")]) == 0
    assert bandit.main(["--resume", "--num-sims", "100", "--out", str(tmp_path / "a")]) == 0
    assert bandit.main([*flags, "--num-sims", "100", "--out", str(tmp_path / "b")]) == 0
    assert_same_run(folder_in(tmp_path / "a"), folder_in(tmp_path / "b"), RUNS["bandit"][3])


@pytest.mark.parametrize(
    "main, flags, more, what",
    [
        (bandit.main, ["--num-sims", "40", "--num-time", "5"], [], "finished: 40 simulations"),
        (
            bandit.main,
            ["--num-sims", "40", "--num-time", "5"],
            ["--num-sims", "20"],
            "finished|has played 40 simulations",
        ),
        (bandit.main, ["--num-sims", "40", "--num-time", "5"], ["--seed", "1"], "--seed 0 -> 1"),
        (maze.main, ["--max-episodes", "20"], [], "finished: 20 episodes"),
        (maze.main, ["--max-episodes", "20"], ["--max-episodes", "10"], "20 episodes, more than 10"),
        (maze.main, ["--max-episodes", "20"], ["--size", "5x5", "--max-episodes", "30"], "--size"),
        (maze.main, [], [], "it has settled"),
        (maze.main, [], ["--num-runs", "2"], "one run"),
    ],
)
def test_what_cannot_be_gone_on_with_is_told(main, flags, more, what, tmp_path, capsys):
    import re

    assert main([*flags, "--out", str(tmp_path)]) == 0
    before = {path: path.read_bytes() for path in folder_in(tmp_path).iterdir()}
    assert main(["--resume", *more, "--out", str(tmp_path)]) == 2
    complaint = capsys.readouterr().err
    assert re.search(what, complaint) and len(complaint.strip().splitlines()) == 2
    assert {path: path.read_bytes() for path in folder_in(tmp_path).iterdir()} == before


def test_a_damaged_state_is_told(tmp_path, capsys):
    assert maze.main(["--max-episodes", "20", "--out", str(tmp_path)]) == 0
    state = folder_in(tmp_path) / STATE
    state.write_bytes(state.read_bytes()[:-1])
    for flag in (["--resume", "--max-episodes", "40"], ["--play"]):
        assert maze.main([*flag, "--out", str(tmp_path)]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 2
