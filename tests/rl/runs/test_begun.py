"""A run killed before its first checkpoint begins again, and checkpoints come by time too."""

import threading

import pytest

from rl import DQN, dqn
from rl.bandit import command as bandit_command
from rl.command.errors import UsageError
from rl.maze import command as maze_command
from rl.runs import resumable, run_folder
from rl.runs.checkpoint import NAME, Checkpoints
from rl.training import due
from rl.training.trainer import Trainer
from tests.examples import first
from tests.rl.helpers import read_json, run_folder_in, two_lines
from tests.rl.runs.test_resume import assert_same_run

FLAGS = "--env-id CartPole-v0 --total-timesteps 300 --eval-episodes 2 --eval-freq 100 --num-threads 1".split()
FLAGS += ["--keep-going"]
LEARNS = {"dqn": "--learning-starts 20".split(), "a2c": "--num-envs 2 --n-steps 8".split()}


class Killed(BaseException):
    """Stands for a signal that leaves no time to write."""


def killed_at(step, monkeypatch):
    """Make the run die after this step."""
    note = Trainer._note

    def die(self, turn):
        note(self, turn)
        if self.agent.steps >= step:
            raise Killed

    monkeypatch.setattr(Trainer, "_note", die)


def run_killed(name, argv, step):
    """Run an article that is killed at this step, and wait for what its thread still writes."""
    main = __import__(f"rl.{name}", fromlist=["main"]).main
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        killed_at(step, patch)
        main(argv)
    for thread in threading.enumerate():
        if thread.name == "checkpoint":
            thread.join()
    return main


@pytest.mark.parametrize("name", first(1, LEARNS))
@pytest.mark.parametrize("step", first(1, [1, 150]))
def test_a_run_without_a_checkpoint_begins_again_and_is_the_same(name, step, tmp_path, capsys, no_pictures):
    argv, one, two = [*FLAGS, *LEARNS[name], "--save-freq", "0"], tmp_path / "one", tmp_path / "two"
    main = run_killed(name, [*argv, "--out", str(two)], step)
    folder = run_folder_in(two)
    assert not (folder / NAME).exists() and main([*argv, "--out", str(one)]) == 0
    capsys.readouterr()
    assert main(["--resume", "--out", str(two)]) == 0
    assert run_folder.BEGINS_AGAIN in capsys.readouterr().out
    assert_same_run(run_folder_in(one), run_folder_in(two))
    assert len(list(folder.glob("events.out.tfevents.*"))) == 1
    assert main(["--resume", str(folder)]) == 2 and "is finished" in two_lines(capsys)[0]


def test_a_run_that_never_took_a_step_begins_too(tmp_path, capsys, no_pictures):
    settings = {"env_id": "CartPole-v0", "total_timesteps": 40, "num_envs": 1, "learning_starts": 9}
    folder = run_folder.create(str(tmp_path), "dqn", "CartPole-v0", 0, settings)
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    assert dqn.main(["--resume", folder.name, "--out", str(tmp_path), "--num-envs", "2"]) == 2
    assert "--num-envs 1 -> 2" in two_lines(capsys)[0]
    assert dqn.main(["--resume", str(folder)]) == 0
    assert read_json(folder / "result.json")["steps"] == 40
    assert (folder / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_the_newest_run_is_meant_whether_it_has_a_checkpoint_or_not(tmp_path, capsys, no_pictures):
    argv = [*FLAGS, *LEARNS["dqn"], "--out", str(tmp_path)]
    run_killed("dqn", [*argv, "--save-freq", "50"], 120)
    run_killed("dqn", [*argv, "--seed", "7"], 30)
    for shown in (run_folder.BEGINS_AGAIN, "resumed at step"):
        assert dqn.main(["--resume", "--out", str(tmp_path)]) == 0
        assert shown in capsys.readouterr().out
    assert dqn.main(["--resume", "--out", str(tmp_path)]) == 2
    assert "no unfinished run of rl.dqn" in two_lines(capsys)[0]


def test_a_folder_that_is_no_run_stays_refused(tmp_path, capsys):
    assert dqn.main(["--resume", str(tmp_path)]) == 2 and "no checkpoint" in two_lines(capsys)[0]
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "result.json").write_text("{}", encoding="utf-8")
    assert dqn.main(["--resume", str(tmp_path)]) == 2 and "no checkpoint" in two_lines(capsys)[0]


def test_the_library_goes_on_in_such_a_folder(tmp_path):
    run_killed("dqn", [*FLAGS, *LEARNS["dqn"], "--save-freq", "0", "--out", str(tmp_path)], 30)
    folder = run_folder_in(tmp_path)
    settings = DQN.settings_class(**read_json(folder / "config.json")["settings"])
    agent = DQN("CartPole-v0", settings=settings).learn(300, run=folder)
    assert agent.steps == 300 and read_json(folder / "result.json")["steps"] == 300


@pytest.mark.parametrize("name", LEARNS)
def test_checkpoints_come_by_time_and_resuming_stays_exact(name, tmp_path, monkeypatch, capsys, no_pictures):
    argv, one, two = [*FLAGS, *LEARNS[name], "--save-freq", "1000"], tmp_path / "one", tmp_path / "two"
    with monkeypatch.context() as patch:
        patch.setattr(due, "SAVE_SECONDS", -1.0)  # after every turn, unless the last one is being written
        main = run_killed(name, [*argv, "--out", str(two)], 171)
    saved = Checkpoints(run_folder_in(two)).load()["agent"]["steps"]
    assert 0 < saved <= 172
    assert main([*argv, "--out", str(one)]) == 0
    assert main(["--resume", "--out", str(two)]) == 0
    assert f"resumed at step {saved}" in capsys.readouterr().out
    assert_same_run(run_folder_in(one), run_folder_in(two))


def test_a_clock_says_when_a_checkpoint_is_due(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(due.time, "monotonic", lambda: now[0])
    steps, never = due.SaveClock(10), due.SaveClock(0)
    assert steps.is_due(9, 10) and not steps.is_due(10, 19) and not never.is_due(9, 10)
    now[0] += due.SAVE_SECONDS + 1
    assert steps.is_due(10, 11) and not never.is_due(10, 11)
    steps.restart()
    assert not steps.is_due(11, 12)


@pytest.mark.parametrize(
    ("command", "argv"),
    [(maze_command, ["--max-episodes", "40"]), (bandit_command, ["--num-sims", "20", "--num-time", "30"])],
)
def test_simulations_begin_again_too(command, argv, tmp_path, monkeypatch, capsys):
    def die(*_):
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(command, "run_pieces", die)
        command.main([*argv, "--out", str(tmp_path)])
    folder = run_folder_in(tmp_path)
    assert not (folder / resumable.STATE).exists()
    assert command.main(["--resume", "--out", str(tmp_path)]) == 0
    assert run_folder.BEGINS_AGAIN in capsys.readouterr().out and (folder / "result.json").is_file()


def test_settings_of_another_article_are_refused(tmp_path):
    folder = run_folder.create(str(tmp_path), "bandit", "x", 0, {"arms": [0.5]})
    with pytest.raises(UsageError):
        DQN("CartPole-v0").learn(10, run=folder)
    assert (folder / "config.json").is_file()
