"""The simulators' commands, stopped and resumed in new processes, give what they give undisturbed."""

import re
from pathlib import Path

import numpy as np
import pytest

from rl.bandit import command as bandit
from rl.maze import command as maze
from rl.runs.resumable import STATE
from rl.runs.state_file import load_state
from tests.examples import first
from tests.rl.helpers import read_json, run_folder_in, two_lines
from tests.rl.runs.segments import job, run
from tests.same import assert_same
from tests.tables import rows

SIMULATIONS, MAZE = "--num-sims 60 --num-time 20 --seed 3", "--size 4x3 --seed 2 --max-episodes 300"
RUNS = {  # article: flags, plays or episodes of a piece, number of pieces
    "bandit": (SIMULATIONS.split(), 100, 6 * 12),
    "maze": (MAZE.split(), 7, 42),
}
EQUAL = {
    "bandit": ("curves.csv", "rewards.png", "regret.png"),
    "maze": ("progress.csv", "maze.txt", "policy.png", "replay.html"),
}


def without_time(state):
    """A state or a result without times and the folder."""
    if isinstance(state, dict):
        return {name: without_time(state[name]) for name in state if name not in ("seconds", "folder")}
    return [without_time(value) for value in state] if isinstance(state, list) else state


def assert_same_run(article: str, *outs: Path) -> None:
    one, two = map(run_folder_in, outs)
    for name in EQUAL[article]:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name
    assert_same(without_time(load_state(one / STATE)), without_time(load_state(two / STATE)))
    results = [without_time(read_json(folder / "result.json")) for folder in (one, two)]
    assert results[0] == results[1]


STOPS = [
    ("maze", 2),
    *(
        pytest.param(*stops, marks=pytest.mark.thorough)
        for stops in (("bandit", 2), ("bandit", 10), ("maze", 10))
    ),
]


@pytest.mark.parametrize("article, number", STOPS)
def test_stops_in_new_processes_change_nothing(article, number, tmp_path):
    argv, piece, pieces = RUNS[article]
    cuts = sorted(np.random.default_rng(1).choice(np.arange(1, pieces), number, replace=False).tolist())
    stops = np.diff([0, *cuts]).tolist()  # pieces from one stop to the next
    straight, stopped = tmp_path / "straight", tmp_path / "stopped"
    codes, said = run(
        job(article, argv, straight),
        job(article, argv, stopped, stops[0], piece=piece),
        *(job(article, ["--resume"], stopped, stop, piece=piece, signal="SIGTERM") for stop in stops[1:]),
        job(article, ["--resume"], stopped, piece=piece),
    )
    assert codes == [0, 130, *[143] * (number - 1), 0], said
    assert f"-m rl.{article} --resume {run_folder_in(stopped)}" in said
    assert_same_run(article, straight, stopped)


@pytest.mark.thorough
def test_more_simulations_later_are_the_same_as_at_once(tmp_path, capsys):
    flags = ["--num-time", "30", "--seed", "5"]
    assert bandit.main([*flags, "--num-sims", "40", "--out", str(tmp_path / "a")]) == 0
    assert bandit.main(["--resume", "--num-sims", "100", "--out", str(tmp_path / "a")]) == 0
    assert bandit.main([*flags, "--num-sims", "100", "--out", str(tmp_path / "b")]) == 0
    assert_same_run("bandit", tmp_path / "a", tmp_path / "b")


REFUSED = rows("""
    bandit  --num-sims 40 --num-time 5  --seed 0                        finished: 40 simulations
    bandit  --num-sims 40 --num-time 5  --num-sims 20                   finished|has played 40 simulations
    bandit  --num-sims 40 --num-time 5  --seed 1                        --seed 0 -> 1
    maze    --max-episodes 20           --seed 0                        finished: 20 episodes
    maze    --max-episodes 20           --max-episodes 10               20 episodes, more than 10
    maze    --max-episodes 20           --size 5x5 --max-episodes 30    --size
    maze    --seed 0                    --seed 0                        it has settled
    maze    --seed 0                    --num-runs 2                    one run
""")


@pytest.mark.parametrize("article, flags, more, what", first(3, REFUSED))
def test_a_run_that_cannot_be_resumed_is_refused(article, flags, more, what, tmp_path, capsys):
    main = {"bandit": bandit.main, "maze": maze.main}[article]
    assert main([*flags.split(), "--out", str(tmp_path)]) == 0
    before = {path: path.read_bytes() for path in run_folder_in(tmp_path).iterdir()}
    capsys.readouterr()
    assert main(["--resume", *more.split(), "--out", str(tmp_path)]) == 2
    assert re.search(what, " ".join(two_lines(capsys)))
    assert {path: path.read_bytes() for path in run_folder_in(tmp_path).iterdir()} == before


def test_a_damaged_state_is_refused(tmp_path, capsys):
    assert maze.main(["--max-episodes", "20", "--out", str(tmp_path)]) == 0
    state = run_folder_in(tmp_path) / STATE
    state.write_bytes(state.read_bytes()[:-1])
    capsys.readouterr()
    for flag in (["--resume", "--max-episodes", "40"], ["--play"]):
        assert maze.main([*flag, "--out", str(tmp_path)]) == 2
        two_lines(capsys)
