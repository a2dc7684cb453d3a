"""A run that was stopped and resumed is the one that never was: weights, generators, games and logs."""

from pathlib import Path

import numpy as np
import pytest

from rl import dqn
from rl.command.errors import UsageError
from rl.runs import resume
from rl.runs.checkpoint import Checkpoints
from tests.examples import first
from tests.rl.helpers import read_csv, read_json, run_folder_in
from tests.rl.runs.segments import job, run
from tests.same import assert_same

COMMON = "--num-envs 2 --num-threads 1 --keep-going --eval-episodes 2 --save-freq 250".split()
DQN = "--learning-starts 100 --exploration-steps 300 --target-update 20".split()
CARTPOLE = "--env-id CartPole-v0 --max-episode-steps 0 --eval-freq 200 --total-timesteps 800".split()
CATCHER = "--env-id rl/Catcher-v0 --max-episode-steps 60 --eval-freq 150 --total-timesteps 400".split()
RUNS = {
    "dqn CartPole": ("dqn", [*CARTPOLE, *DQN, "--train-freq", "2", "--buffer-size", "300"]),
    "dqn Catcher": ("dqn", [*CATCHER, *DQN, "--train-freq", "20", "--buffer-size", "1400"]),
    "a2c CartPole": ("a2c", CARTPOLE),
    "policy_gradient CartPole": ("policy_gradient", CARTPOLE),
    "value_function CartPole": ("value_function", [*CARTPOLE, *DQN[:2], "--buffer-size", "300"]),
    "a2c Catcher": ("a2c", [*CATCHER, "--n-steps", "7"]),
}


def state_of(folder: Path) -> dict:
    """All that the next step depends on, without what only measures time."""
    state = Checkpoints(folder).load()
    state["logger"].pop("sizes")  # a rate is written with more or fewer digits
    state["logger"].pop("seconds")
    return state


def table(path: Path, without: str) -> list[dict[str, str]]:
    return [{name: value for name, value in row.items() if name != without} for row in read_csv(path)]


def assert_same_run(one: Path, two: Path) -> None:
    for name in ("best.safetensors", "last.safetensors"):
        assert (one / name).read_bytes() == (two / name).read_bytes(), name
    results = [{**read_json(folder / "result.json"), "seconds": 0} for folder in (one, two)]
    assert results[0] == results[1]
    assert table(one / "progress.csv", "time/fps") == table(two / "progress.csv", "time/fps")
    assert table(one / "monitor.csv", "t") == table(two / "monitor.csv", "t")
    assert table(one / "evaluations.csv", "seconds") == table(two / "evaluations.csv", "seconds")
    assert_same(state_of(one), state_of(two))


WRITES = "dqn Catcher"  # each stop of it writes a large replay; in small, the killed run below stands for it
STOPS = first(1, [(name, 2) for name in RUNS if name != WRITES])
STOPS += [pytest.param(name, 3, marks=pytest.mark.thorough) for name in RUNS if "Catcher" in name]
TIER = {name: pytest.mark.slow if "Catcher" in name else pytest.mark.thorough for name in RUNS}
STOPS += [pytest.param(name, 10, marks=TIER[name]) for name in RUNS]


@pytest.mark.parametrize("name, stops", STOPS)
def test_stops_in_new_processes_change_nothing(name, stops, tmp_path):
    article, argv = RUNS[name]
    argv, straight, stopped = [*argv, *COMMON], tmp_path / "straight", tmp_path / "stopped"
    total = int(argv[argv.index("--total-timesteps") + 1])
    cuts = sorted(np.random.default_rng(5).choice(np.arange(1, total - 1), stops, replace=False).tolist())
    codes, said = run(
        job(article, argv, straight),
        job(article, argv, stopped, cuts[0]),
        *(job(article, ["--resume"], stopped, cut) for cut in cuts[1:]),
        job(article, ["--resume"], stopped),
    )
    assert codes == [0, *[130] * stops, 0], said
    assert_same_run(run_folder_in(straight), run_folder_in(stopped))


@pytest.mark.thorough
def test_a_signal_in_an_evaluation_leaves_it_to_be_done(tmp_path):
    article, argv = RUNS["dqn CartPole"]
    argv, straight, stopped = [*argv, *COMMON], tmp_path / "straight", tmp_path / "stopped"
    codes, said = run(
        job(article, argv, straight),
        job(article, argv, stopped, in_evaluation=1),
        job(article, ["--resume"], stopped, in_evaluation=2, signal="SIGTERM"),
        job(article, ["--resume"], stopped, in_evaluation=4),  # the closing one
        job(article, ["--resume"], stopped),
    )
    assert codes == [0, 130, 143, 130, 0], said
    assert_same_run(run_folder_in(straight), run_folder_in(stopped))


@pytest.mark.thorough
def test_twice_the_steps_are_the_same_as_going_on(tmp_path):
    article, argv = RUNS["dqn CartPole"]
    argv, whole, half = [*argv, *COMMON, "--eval-freq", "0"], tmp_path / "whole", tmp_path / "half"
    twice = ["--total-timesteps", "800"]
    codes, said = run(
        job(article, [*argv, *twice], whole),
        job(article, [*argv, "--total-timesteps", "400"], half),
        job(article, ["--resume", str(half), *twice], half),
    )
    assert codes == [0, 0, 2], said  # that is no run's folder
    folders = run_folder_in(whole), run_folder_in(half)
    assert run(job(article, ["--resume", str(folders[1]), *twice], half))[0] == [0]
    one, two = map(state_of, folders)
    one.pop("logger"), two.pop("logger")  # rows are written every hundredth of the total
    assert_same(one, two)
    assert len({(folder / "last.safetensors").read_bytes() for folder in folders}) == 1


@pytest.mark.thorough
def test_a_killed_run_goes_on_from_its_last_checkpoint(tmp_path):
    article, argv = RUNS["dqn Catcher"]
    argv = [*argv, *COMMON, "--save-freq", "100"]
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    codes, said = run(
        job(article, argv, straight),
        job(article, argv, killed, 333, signal="SIGKILL"),
        job(article, ["--resume"], killed),
    )
    assert codes == [0, -9, 0], said
    assert "resumed at step 300" in said or "resumed at step 200" in said
    assert_same_run(run_folder_in(straight), run_folder_in(killed))


CHANGES = {
    "--learning-rate 0.5": "--learning-rate 0.002 -> 0.5",
    "--num-envs 4": "--num-envs 2 -> 4",
    "--seed 1": "--seed 0 -> 1",
    "--hidden 8 8": "--hidden (64, 64) -> (8, 8)",
}


@pytest.mark.thorough
def test_what_is_kept_and_what_may_change(tmp_path):
    article, argv = RUNS["a2c CartPole"]

    def resume(*words: str) -> dict:
        return job(article, ["--resume", *" ".join(words).split()], tmp_path)

    codes, said = run(job(article, [*argv, *COMMON], tmp_path, 300))
    assert codes == [130] and "go on:" in said and "--resume" in said and "Traceback" not in said
    folder = run_folder_in(tmp_path)
    kept = [folder / "config.json", folder / "checkpoint.safetensors"]
    before = [path.read_bytes() for path in kept]
    codes, said = run(*map(resume, CHANGES))
    assert codes == [2] * 4 and all(shown in said for shown in CHANGES.values())
    assert before == [path.read_bytes() for path in kept]
    allowed = resume("--total-timesteps 400 --eval-freq 0 --save-freq 0")
    codes, said = run(allowed, resume(), resume(str(folder)), resume(str(folder), "--total-timesteps 500"))
    assert codes == [0, 2, 2, 0]
    assert "no unfinished run of rl.a2c" in said and "is finished: 400 steps" in said
    assert read_json(folder / "config.json")["settings"]["total_timesteps"] == 500


def test_a_damaged_checkpoint_is_refused_in_two_lines(tmp_path):
    article, argv = RUNS["a2c CartPole"]
    assert run(job(article, [*argv, *COMMON], tmp_path, 300))[0] == [130]
    path = run_folder_in(tmp_path) / "checkpoint.safetensors"
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    codes, said = run(job(article, ["--resume"], tmp_path))
    assert codes == [2] and "checksum does not match" in said and "Traceback" not in said


@pytest.mark.thorough
def test_games_that_cannot_be_saved_begin_anew_and_say_so(tmp_path):
    argv = "--env-id Acrobot-v1 --total-timesteps 600 --eval-freq 0 --buffer-size 400".split()
    first = job("dqn", [*argv, *DQN, *COMMON], tmp_path, 301)
    codes, said = run(first, job("dqn", ["--resume"], tmp_path, 400), job("dqn", ["--resume"], tmp_path))
    assert codes == [130, 130, 0], said
    assert "cannot be saved in the middle of a game" in said


@pytest.mark.parametrize(
    "flags, named",
    [
        ("", None),
        ("--env-id rl/Catcher-v0", "rl/Catcher-v0"),  # the default, named all the same
        ("--env-id=CartPole-v1", "CartPole-v1"),
        ("--test", "CartPole-v0"),
        ("--test --env-id rl/Catcher-v0", "rl/Catcher-v0"),
    ],
)
def test_resume_looks_for_the_environment_that_is_named(flags, named, monkeypatch, capsys):
    asked = []

    def find(article, out, wanted, holding, env_id, unfinished, begun):
        asked.append(env_id)
        raise UsageError("no run", "start one")

    monkeypatch.setattr(resume, "find", find)
    assert dqn.main(["--resume", *flags.split()]) == 2
    assert asked == [named] and "no run" in capsys.readouterr().err
