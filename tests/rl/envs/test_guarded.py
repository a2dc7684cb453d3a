"""Errors name the environment that made a mistake: of the library, the command, and in vectors."""

import contextlib
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from gymnasium.wrappers import TimeLimit

from rl import DQN
from rl.command.errors import EnvironmentFault
from rl.envs.guarded import GuardedEnv
from rl.envs.make import make_vector
from tests.rl.games import vector_of
from tests.rl.helpers import two_lines
from tests.rl.worlds import VECTOR, World, changed, command, failing, learn, resets, steps

OPEN: tuple[Any, ...] = (1.0, False, False, {})  # the rest of a step that does not end the game
LABELS = {"observation_space": spaces.Discrete(3, start=4), **resets(5, {})}
PAIR, FIVE = "(observation, info)", "(observation, reward, terminated, truncated, info)"
MISTAKES = {  # members of a World, what is said, and what is expected
    "reset without seed": (
        {"reset": lambda self: (VECTOR, {})},
        "unexpected keyword argument 'seed' in reset()",
        "reset(self, *, seed=None, options=None)",
    ),
    "reset without options": (
        {"reset": lambda self, seed=None: (VECTOR, {})},
        "unexpected keyword argument 'options' in reset()",
        "reset(self, *, seed=None, options=None)",
    ),
    "reset of one value": (resets(VECTOR), "returned ndarray", PAIR),
    "reset of three": (resets(VECTOR, {}, 1), "returned 3 values from reset()", PAIR),
    "reset of None": (resets(None), "returned None from reset()", PAIR),
    "reset with info None": (resets(VECTOR, None), "None as info from reset()", "info is a dict"),
    "reset of another shape": (resets(np.zeros(2), {}), "shape (2,), not (3,) from reset()", "space"),
    "step of four": (
        steps(VECTOR, 1.0, False, {}),
        "returned 4 values from step(action) at its step 1",
        FIVE,
    ),
    "step of six": (steps(VECTOR, *OPEN, 1), "returned 6 values from step(action)", FIVE),
    "step of None": (steps(None), "returned None from step(action)", FIVE),
    "step without action": ({"step": lambda self: None}, "in step(action)", "step(self, action) -> "),
    "observation None": (steps(None, *OPEN), "an observation of None", "observation_space"),
    "observation a string": (steps("left", *OPEN), "observation of str 'left'", "observation_space"),
    "observation of another shape": (steps(np.zeros(4), *OPEN), "shape (4,), not (3,)", "observation_space"),
    "observation complex": (steps(VECTOR * 1j, *OPEN), "complex64 numbers, not float32", "observation_space"),
    "observation masked": (steps(np.ma.array(VECTOR), *OPEN), "a masked array", "observation_space"),
    "observation ragged": (steps([[1], [1, 2]], *OPEN), "which is no array", "observation_space"),
    "observation too large": (steps(np.full(3, 1e300), *OPEN), "float32 cannot hold", "observation_space"),
    "label above": ({**LABELS, **steps(7, *OPEN)}, "int 7, which is not in Discrete(3, start=4)", "space"),
    "label below": ({**LABELS, **steps(3, *OPEN)}, "int 3, which is not in Discrete(3, start=4)", "space"),
    "label a float": ({**LABELS, **steps(5.0, *OPEN)}, "float 5.0, which is not in", "space"),
    "reward None": (steps(VECTOR, None, *OPEN[1:]), "None as reward", "one number"),
    "reward a string": (steps(VECTOR, "1", *OPEN[1:]), "str '1' as reward", "one number"),
    "reward an array": (steps(VECTOR, np.ones(1), *OPEN[1:]), "as reward", "one number"),
    "reward complex": (steps(VECTOR, 1j, *OPEN[1:]), "complex 1j as reward", "one number"),
    "reward masked": (steps(VECTOR, np.ma.masked, *OPEN[1:]), "masked as reward", "one number"),
    "terminated None": (steps(VECTOR, 1.0, None, False, {}), "None as terminated", "True or False"),
    "terminated 2": (steps(VECTOR, 1.0, 2, False, {}), "int 2 as terminated", "True or False"),
    "truncated an array": (steps(VECTOR, 1.0, False, np.zeros(1, bool), {}), "as truncated", "True or False"),
    "truncated a string": (steps(VECTOR, 1.0, False, "no", {}), "str 'no' as truncated", "True or False"),
    "info None": (steps(VECTOR, *OPEN[:3], None), "None as info", "info is a dict"),
    "info a list": (steps(VECTOR, *OPEN[:3], []), "list [] as info", "info is a dict"),
    "no space": ({"observation_space": None}, "has no observation_space", "gymnasium.spaces"),
}
PROBLEMS = (
    ValueError("a\n  b"),
    AssertionError(),
    KeyError("k"),
    StopIteration(),
    SystemExit(0),
    gymnasium.error.Error("g"),
    OSError(2, "no file"),
)
each_mistake = pytest.mark.parametrize(("members", "what", "remedy"), MISTAKES.values(), ids=list(MISTAKES))


@each_mistake
def test_a_mistake_is_told_by_the_library(members, what, remedy):
    with pytest.raises(EnvironmentFault) as told:
        learn(changed(**members))
    first, second = str(told.value).splitlines()
    assert first.startswith("the environment World ") and what in first and remedy in second


@each_mistake
def test_a_mistake_is_told_by_the_command(members, what, remedy, tmp_path, capsys):
    assert command(changed(**members), tmp_path) == 1
    first, second = two_lines(capsys)
    assert "the environment World-" in first and what in first and remedy in second


@pytest.mark.parametrize("call", ["__init__", "reset", "step"])
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: type(problem).__name__)
def test_an_exception_is_told_with_its_call_and_place(call, problem, tmp_path, capsys):
    world = changed(**{call: failing(problem)})
    with pytest.raises(EnvironmentFault) as told:
        learn(world)
    assert told.value.__cause__ is problem
    assert command(world, tmp_path) == 1
    where = {"__init__": "its constructor", "reset": "reset()", "step": "step(action) at its step 1"}[call]
    for line in (str(told.value).splitlines()[0], two_lines(capsys)[0]):
        assert f"raised {type(problem).__name__}" in line and f"in {where}, at " in line
        assert line.rpartition(":")[0].endswith("worlds.py")


def test_the_whole_traceback_is_shown_on_request(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RL_TRACEBACK", "1")
    assert command(changed(step=failing(ZeroDivisionError("z"))), tmp_path) == 1
    printed = capsys.readouterr().err
    assert "worlds.py" in printed and "ZeroDivisionError: z" in printed and "direct cause" in printed


def test_an_interrupt_stays_one(tmp_path, capsys):
    world = changed(step=failing(KeyboardInterrupt()))
    assert command(world, tmp_path) == 130
    with pytest.raises(KeyboardInterrupt):
        learn(world)


def test_the_mistake_of_an_evaluation_and_of_a_missing_module_is_told(tmp_path, monkeypatch, capsys):
    made = []

    class Second(World):
        def __init__(self):
            made.append(self)

        def step(self, action):
            if len(made) > 2 and self is made[-1]:  # the probe, the games, the games of evaluations
                raise IndexError("in an evaluation")
            return super().step(action)

    with pytest.raises(EnvironmentFault, match="raised IndexError: in an evaluation in step"):
        learn(Second, eval_freq=5)
    (tmp_path / "spoilt_worlds.py").write_text("import gymnasium\n\n1 / 0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EnvironmentFault, match=r"ZeroDivisionError.*its module.*spoilt_worlds.py:3"):
        make_vector("spoilt_worlds:Mine-v0", 1)


GOOD = {
    "a list": steps([0.0, 0.0, 0.0], 1.0, True, False, {}),
    "float64": steps(VECTOR.astype(float), 1.0, True, False, {}),
    "NumPy's numbers": steps(VECTOR, np.int32(1), np.bool_(True), np.bool_(False), {}),
    "arrays without axes": steps(VECTOR, np.array(1.0), np.array(True), np.array(0), {}),
    "a reward that is a flag": steps(VECTOR, np.bool_(True), True, False, {}),
    "flags 1 and 0": steps(VECTOR, 1, 1, 0, {}),
    "odd info": {"step": lambda self, action: (VECTOR, 1.0, True, False, {"final_obs": 3, "x": object()})},
    "a tuple's list": steps([VECTOR, 1.0, True, False, {}]),
    "no metadata": {"metadata": None},
}


@pytest.mark.parametrize("members", GOOD.values(), ids=list(GOOD))
def test_what_gymnasium_allows_is_played(members):
    assert learn(changed(**members)).steps == 12


def test_inside_wrappers_the_environment_itself_is_guarded_once():
    env = TimeLimit(changed(**steps(VECTOR, 1.0, False, {}))(), 9)
    for _ in range(2):
        with pytest.raises(EnvironmentFault, match="returned 4 values"):
            learn(env)
    assert isinstance(env.env, GuardedEnv) and not isinstance(env.env.env, GuardedEnv)


class Vector(VectorEnv):
    """Two games of a user's own, which never end; `result` is what a step returns."""

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}
    num_envs = 2
    single_observation_space, single_action_space = World.observation_space, World.action_space
    observation_space = batch_space(World.observation_space, 2)
    action_space = batch_space(World.action_space, 2)
    no = np.zeros(2, bool)
    result: Any = (np.zeros((2, 3), np.float32), np.ones(2), no, no, {})

    def reset(self, *, seed=None, options=None):
        return self.result[0], {}

    def step(self, actions):
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


SEEN, PAID, NO, NO, INFO = Vector.result


@pytest.mark.parametrize(
    ("result", "what"),
    [
        ((SEEN, PAID, NO, INFO), "returned 4 values from step"),
        ((SEEN[:, :2], PAID, NO, NO, INFO), r"shape \(2, 2\), not \(2, 3\)"),
        ((SEEN, PAID[:1], NO, NO, INFO), "as rewards"),
        ((SEEN, [1.0, 1.0], NO, NO, INFO), "as rewards"),
        ((SEEN, PAID, NO * 1.0, NO, INFO), "as terminated"),
        ((SEEN, PAID, NO, NO, None), "None as infos"),
        ((SEEN, PAID, ~NO, NO, INFO), "no final_obs"),
        ((SEEN, PAID, ~NO, NO, {"final_obs": [None, None]}), "final_obs of None"),
        (ValueError("vector"), "raised ValueError: vector in step"),
    ],
)
def test_a_vector_environment_of_ones_own_is_checked(result, what):
    agent = DQN(Vector(), learning_starts=4)
    agent.source.envs.unwrapped.result = result
    agent.source.envs.reset = lambda **_: (SEEN, {})
    with pytest.raises(EnvironmentFault, match=what):
        agent.learn(8)


class Spoilt(World):
    def step(self, action):
        raise KeyError("spoilt")


def test_games_in_other_processes_are_trained_on_and_guarded():
    with contextlib.closing(in_processes(World)) as envs:
        assert learn(envs, 24).steps == 24
    with contextlib.closing(in_processes(Spoilt)) as envs:
        with pytest.raises(EnvironmentFault, match=r"AsyncVectorEnv raised KeyError.* in step\(actions\)"):
            learn(envs)


def in_processes(world):
    return AsyncVectorEnv([world, world], autoreset_mode=AutoresetMode.SAME_STEP)


@pytest.mark.parametrize("env", [Vector(), World()])
def test_an_environment_without_spaces_is_refused(env, monkeypatch):
    for name in ("single_observation_space", "observation_space"):
        monkeypatch.setattr(type(env), name, None, raising=False)
    with pytest.raises(EnvironmentFault, match="has no (single_)?observation_space"):
        DQN(env)


def test_a_ready_vector_s_games_are_guarded():
    with pytest.raises(EnvironmentFault, match="returned 4 values from step"):
        learn(vector_of(changed(**steps(VECTOR, 1.0, False, {})), World))


def test_a_game_that_does_not_close_is_noted_and_nothing_is_lost(tmp_path, capsys):
    world = changed(close=failing(ValueError("stuck")))
    with pytest.warns(
        UserWarning, match=r"not closed: the environment World raised ValueError: stuck in close\(\)"
    ):
        learn(world).close()
    assert command(world, tmp_path) == 0
    printed = capsys.readouterr()
    assert printed.out.count("note: not closed") == 1 and not printed.err
