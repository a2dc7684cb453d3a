"""Settings that cannot do what their names promise are said, once, by the command and by the library."""

import dataclasses
import json
import warnings
from functools import partial

import numpy as np
import pytest

from rl import a2c, bandit, digits, dqn, housing, maze, one_layer, policy_gradient, two_layer, value_function
from rl.bandit import command as bandit_command
from rl.command.doubts import find_doubts
from rl.command.errors import UsageError
from rl.command.notes import Note, extra, note, printed_notes
from rl.maze import command as maze_command
from rl.sweeps import plan
from rl.training.train import train
from tests.rl.games import Game
from tests.rl.helpers import read_json, two_lines
from tests.rl.worlds import World, command, failing, learn

DOUBTFUL = {
    "gamma 0": (dqn, {"gamma": 0.0}, "gamma is 0"),
    "games of one step": (dqn, {"max_episode_steps": 1}, "cut off after 1 step"),
    "nothing learned": (dqn, {"learning_starts": 100_000}, "nothing is learned"),
    "nothing learned by values": (value_function, {"learning_starts": 200_000}, "nothing is learned"),
    "no whole rollout": (a2c, {"n_steps": 50_000}, "nothing is learned"),
    "no whole rollout of a policy": (policy_gradient, {"total_timesteps": 100}, "nothing is learned"),
    "a batch above the replay": (dqn, {"batch_size": 900, "buffer_size": 800}, "every batch repeats"),
    "a target that stays": (dqn, {"target_update": 7_000}, "it never changes"),
    "exploring to the end": (dqn, {"exploration_steps": 1_000_000}, "91% of the actions are still random"),
    "always exploring by values": (value_function, {"epsilon": 1.0}, "every action is random"),
    "always exploring": (dqn, {"final_epsilon": 1.0}, "100% of the actions"),
}


@pytest.mark.parametrize(("article", "values", "line"), DOUBTFUL.values(), ids=list(DOUBTFUL))
def test_a_doubt_is_one_line_that_says_what_to_do(article, values, line):
    settings = article.Settings(**values)
    settings.validate()
    (doubt,) = find_doubts(settings)
    assert line in doubt and "\n" not in doubt and ("; give a " in doubt or "usual" in doubt)


@pytest.mark.parametrize("article", [dqn, a2c, policy_gradient, value_function])
def test_defaults_are_not_doubted(article):
    for values in ({}, article.Settings.elsewhere.vectors, getattr(article, "TEST", {})):
        assert not list(find_doubts(article.Settings(**values)))


def test_doubts_are_printed_by_the_command_and_warned_of_by_the_library(tmp_path, capsys, no_pictures):
    assert command(World, tmp_path, "--gamma", "0") == 0
    printed = capsys.readouterr()
    assert printed.out.count("note: gamma is 0") == 1 and not printed.err
    with pytest.warns(Note, match="gamma is 0"):
        agent = learn(World, gamma=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Note)
        agent.learn(8)  # once is enough


class Costly(Game):
    """Every step costs something, as in a maze."""

    length = 40

    def pay(self, action):
        return -1.0


ENDS = "a negative reward ends the return, and 98% of the first 200 steps have one"


@pytest.mark.parametrize("name", ["dqn", "a2c"])
def test_returns_that_end_at_every_step_are_said(name):
    algorithm = {"dqn": dqn.DQN, "a2c": a2c.A2C}[name]
    with pytest.warns(Note, match=ENDS) as notes:
        algorithm(Costly, life_loss_ends=True, num_envs=2, eval_freq=0, eval_episodes=1).learn(600)
    assert sum(ENDS in str(one.message) for one in notes) == 1
    assert any("--no-life-loss-ends" in str(one.message) for one in notes)


def test_the_command_says_it_and_not_without_reason(tmp_path, capsys, no_pictures):
    flags = ["--life-loss-ends", "--eval-episodes", "1"]
    assert command(Costly, tmp_path / "1", *flags, steps=300) == 0
    assert capsys.readouterr().out.count(f"note: {ENDS}") == 1
    for world, more in ((Costly, []), (World, flags), (OneStep, flags)):
        assert command(world, tmp_path / "2", *more, steps=300) == 0
        assert "ends the return" not in capsys.readouterr().out


class OneStep(Costly):
    """Games of one step, which a negative reward ends anyway."""

    length = 1


WRONG = {"gamma": 5, "learning_rate": -1.0, "num_envs": 0, "seed": "x", "hidden": "64", "double": "no"}


@pytest.mark.parametrize(("name", "value"), WRONG.items())
def test_settings_made_in_python_are_checked_at_every_door(name, value, tmp_path, capsys):
    settings = dqn.Settings(env_id="CartPole-v0", total_timesteps=20, out=str(tmp_path))
    spoilt = dataclasses.replace(settings, **{name: value})
    doors = (
        lambda: train(dqn.DQN, spoilt),
        lambda: dqn.DQN("CartPole-v0", settings=spoilt),
        lambda: plan.check_settings(dqn.Settings, {name: value}),
    )
    for door in doors:
        with pytest.raises(UsageError, match=name.replace("_", "[-_]")) as refused:
            door()
        assert len(str(refused.value).splitlines()) == 2
    assert not list(tmp_path.iterdir())
    stored = tmp_path / "config.json"
    stored.write_text(json.dumps({name: value}), encoding="utf-8")
    assert dqn.main(["--config", str(stored), "--out", str(tmp_path / "runs")]) == 2
    two_lines(capsys)


def test_numbers_of_numpy_and_lists_become_what_a_file_holds(tmp_path, no_pictures):
    values = {"seed": np.int64(2), "hidden": [8], "learning_rate": 1, "total_timesteps": np.int32(20)}
    few = {"eval_episodes": 1, "eval_freq": 0, "out": str(tmp_path)}
    result = train(dqn.DQN, dqn.Settings(env_id="CartPole-v0", **values, **few))
    stored = read_json(result.folder / "config.json")["settings"]
    assert (stored["seed"], stored["hidden"], stored["total_timesteps"]) == (2, [8], 20)
    assert type(result.algorithm.settings.learning_rate) is float


@pytest.mark.parametrize(
    ("learn", "settings"),
    [
        (digits.learn, digits.Settings(epochs=-1)),
        (partial(housing.learn, None), housing.Settings(seed=-1)),
        (one_layer.run, one_layer.Settings(seed=-1)),
        (two_layer.run, two_layer.Settings(seed=-1)),
        (bandit_command.run, bandit.Settings(num_sims=0)),
        (maze_command.run, maze.Settings(max_episodes=0)),
    ],
)
def test_the_other_articles_check_theirs(learn, settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        learn(settings)
    assert not list(tmp_path.iterdir())


def test_notes_are_lines_of_a_command_and_each_is_printed_once(capsys):
    with printed_notes():
        with printed_notes():
            note("one")
        note("one")
        with extra("no plot"):
            failing(ValueError("a\nb"))()
        with extra("no page"):
            failing(UsageError("what", "remedy"))()
        warnings.warn("another", UserWarning, stacklevel=1)
    printed = capsys.readouterr()
    assert printed.out == "note: one\nnote: no plot: ValueError: a b\nnote: no page: what\n"
    with pytest.raises(KeyboardInterrupt), extra("no plot"):
        failing(KeyboardInterrupt())()
    with pytest.warns(Note, match="no plot: SystemExit"), extra("no plot"):
        failing(SystemExit(0))()


def test_an_extra_shows_its_traceback_on_request(capsys, monkeypatch):
    monkeypatch.setenv("RL_TRACEBACK", "1")
    with printed_notes(), extra("no plot"):
        failing(ValueError("a"))()
    assert "worlds.py" in capsys.readouterr().err
