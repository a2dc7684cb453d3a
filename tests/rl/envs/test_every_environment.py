"""The contract of all environments of this project: a new one is tested by its line in WORLDS."""

import json
import sys
import warnings
from importlib import import_module
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import pytest
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from rl.envs import action_names, goal_of, make_vector, native_vector
from rl.envs.goals import MeanReturn, Misses
from rl.envs.native_vector import NativeVectorEnv
from tests.processes import run_python


class World(NamedTuple):
    """An environment and what is expected of it.

    limit  a time limit that some games of random play reach and others do not
    """

    id: str
    limit: int
    usual_limit: int
    actions: tuple[str, ...]
    goal: Any
    terminates: bool = True
    random: bool = True  # games of two seeds differ
    draws: bool = False  # random numbers are drawn during a game, not only at its start


FOUR = ("up", "right", "down", "left")
OWN = (
    World("rl/Bandit-v0", 30, 250, ("0", "1", "2"), MeanReturn(), terminates=False, draws=True),
    World("rl/Catcher-v0", 120, 10_000, ("left", "right", "stay"), Misses(2), draws=True),
    World("rl/Maze-v0", 20, 1_000, FOUR, MeanReturn(), random=False),
)
WORLDS = (
    *OWN,
    World("CartPole-v0", 20, 200, ("left", "right"), MeanReturn(195.0)),
    World("CartPole-v1", 20, 500, ("left", "right"), MeanReturn(475.0)),
)
GAMES = 5
pytestmark = pytest.mark.filterwarnings("ignore:.*(out of date|not in the possible render_modes)")


def over(worlds):
    return pytest.mark.parametrize("world", worlds, ids=lambda world: world.id)


def vector(world, games=GAMES) -> Any:
    return make_vector(world.id, games, max_episode_steps=world.limit)


def single(world, **kwargs) -> Any:
    return gymnasium.make(world.id, **kwargs).unwrapped


EITHER = pytest.mark.parametrize(
    ("make", "world"), [(vector, world) for world in WORLDS] + [(single, world) for world in OWN]
)


def draws(world, steps, games=GAMES):
    """Random actions (steps, games), the same at every call."""
    return np.random.default_rng(0).integers(len(world.actions), size=(steps, games))


def play(envs, actions) -> list[list[Any]]:
    """The first four results of each step; a single game is reset when it has terminated."""
    many, trace = isinstance(envs, NativeVectorEnv), []
    for step in actions:
        result = envs.step(step if many else step[0])
        trace.append([np.array(value) for value in result[:4]])
        if not many and result[2]:
            trace.append([np.array(envs.reset()[0])])
    return trace


def assert_equal(ones, others):
    assert len(ones) == len(others)
    for one, other in zip(ones, others):
        for mine, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_the_list_is_complete():
    assert {world.id for world in OWN} == {name for name in gymnasium.registry if name.startswith("rl/")}


def test_importing_rl_loads_neither_numba_nor_pygame():
    code = "import sys, rl, rl.envs; sys.exit(bool({'numba', 'pygame', 'matplotlib'} & set(sys.modules)))"
    run_python("-c", code)


@pytest.mark.thorough
@over(OWN)
def test_gymnasiums_check_passes_without_a_warning_in_every_render_mode(world, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for mode in (None, *single(world).metadata["render_modes"]):
            env = single(world, render_mode=mode)
            env.metadata = {**env.metadata, "render_fps": 1000}  # windows wait for their frame's turn
            check_env(env)
            env.close()


@over(WORLDS)
def test_it_is_registered_and_compiled(world):
    envs = make_vector(world.id, 2)
    assert isinstance(envs, NativeVectorEnv)
    assert (envs.num_envs, envs.max_episode_steps) == (2, world.usual_limit)
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert gymnasium.make(world.id).spec.max_episode_steps == world.usual_limit
    assert vector(world).max_episode_steps == world.limit
    if world in OWN:
        assert type(gymnasium.make_vec(world.id, 2, vectorization_mode="vector_entry_point")) is type(envs)


@over(WORLDS)
def test_its_goal_and_the_names_of_its_actions_stand_with_it(world):
    shown = make_vector(world.id, 1, render_mode="rgb_array")  # Gymnasium's vector of single ones
    for envs in (vector(world), shown):
        assert goal_of(envs) == world.goal and world.goal.text
        assert action_names(envs) == world.actions
    assert action_names(gymnasium.make(world.id)) == world.actions


@over(WORLDS)
def test_spaces_and_types_are_those_announced(world):
    envs, one = vector(world), gymnasium.make(world.id)
    assert envs.single_observation_space == one.observation_space
    assert envs.single_action_space == one.action_space
    observations, infos = envs.reset(seed=0)
    assert observations in envs.observation_space and infos == {}
    for actions in draws(world, 3 * world.limit):
        observations, rewards, terminated, truncated, infos = envs.step(actions)
        assert observations in envs.observation_space
        assert (rewards.shape, rewards.dtype) == ((GAMES,), np.float64)
        for flags in (terminated, truncated, infos.get("_final_obs", truncated)):
            assert (flags.shape, flags.dtype) == ((GAMES,), np.bool_)
        for last, ended in zip(infos.get("final_obs", ()), terminated | truncated):
            assert not ended or last in envs.single_observation_space


@over(OWN)
def test_a_single_game_returns_plain_numbers(world):
    env = single(world)
    env.reset(seed=0)
    observation, reward, terminated, truncated, _ = env.step(0)
    assert isinstance(observation, np.ndarray | int) and observation in env.observation_space
    assert [type(value) for value in (reward, terminated, truncated)] == [float, bool, bool]


@over(WORLDS)
def test_returned_arrays_are_never_written_again(world):
    envs = vector(world)
    returned = [envs.reset(seed=0)[0], envs.observe()]
    copies = [array.copy() for array in returned]
    for actions in draws(world, 2 * world.limit):
        *arrays, infos = envs.step(actions)
        arrays += [value for value in infos.values() if isinstance(value, np.ndarray)]
        returned += arrays
        copies += [array.copy() for array in arrays]
    assert_equal([returned], [copies])


@over(OWN)
def test_a_single_games_observations_are_never_written_again(world):
    env = single(world)
    returned = [env.reset(seed=0)[0]]
    copies = [np.array(returned[0])]
    for action in (0, 1, 0, 1, 1, 0):
        returned.append(env.step(action)[0])
        copies.append(np.array(returned[-1]))
    assert_equal([returned], [copies])


@EITHER
def test_a_seed_fixes_all_games_and_those_that_follow(make, world):
    def trace(seed):
        envs = make(world)
        return [[envs.reset(seed=seed)[0]], *play(envs, draws(world, max(600, 3 * world.limit)))]

    assert_equal(trace(3), trace(3))
    if world.random:
        with pytest.raises(AssertionError):
            assert_equal(trace(3), trace(4))


@over([world for world in OWN if world.draws])
def test_random_numbers_that_a_step_uses_up_are_drawn_anew(world):
    one, other = vector(world), vector(world)
    other.reset(seed=2)
    generator = other.get_state()["np_random"]
    one.reset(seed=1)
    other.set_state({**one.get_state(), "np_random": generator})
    for actions in draws(world, world.limit):
        ours, theirs = one.step(actions), other.step(actions)
        assert "final_obs" not in ours[4] and "final_obs" not in theirs[4], "no difference before an end"
        if np.any(ours[0] != theirs[0]) or np.any(ours[1] != theirs[1]):
            break
    else:
        pytest.fail("two generators gave the same games")


@EITHER
def test_a_saved_state_continues_identically(make, world):
    first, second = make(world), make(world)
    first.reset(seed=9)
    actions = draws(world, 8 * world.limit)
    play(first, actions[: world.limit // 2])  # the time limit of a vector's games is half used up
    state = first.get_state()
    saved = json.dumps(state, default=lambda array: array.tolist())  # survives a file
    before = first.observe()
    straight = play(first, actions[world.limit // 2 :])
    assert json.dumps(state, default=lambda array: array.tolist()) == saved, "the state is no copy"
    second.set_state(json.loads(saved))
    np.testing.assert_array_equal(second.observe(), before)
    assert_equal(play(second, actions[world.limit // 2 :]), straight)
    assert first.get_state()["np_random"] == second.get_state()["np_random"]


@over(WORLDS)
def test_a_state_of_another_number_of_games_is_refused(world):
    envs = vector(world, 2)
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="shape"):
        vector(world, 3).set_state(envs.get_state())


@over([world for world in OWN if world.terminates])
def test_a_saved_game_that_is_over_stays_over(world):
    first, second = single(world), single(world)
    first.reset(seed=1)
    second.set_state(first.get_state())
    second.step(0)
    assert any(first.step(step[0])[2] for step in draws(world, 5000))
    second.set_state(first.get_state())
    with pytest.raises(ResetNeeded):
        second.step(0)


@over(OWN)
def test_wrong_use_of_a_single_game_is_refused_and_moves_nothing(world):
    env = single(world)
    with pytest.raises(ResetNeeded, match="call reset"):
        env.step(0)
    env.reset(seed=0)
    before = env.get_state()
    for wrong in (len(world.actions), -1, 1.0, "left", None, np.array([0, 1]), 10**30):
        with pytest.raises(InvalidAction, match="action must be one of 0") as caught:
            env.step(wrong)
        assert "\n" not in str(caught.value) and str(caught.value).endswith(f"not {wrong!r}")
    assert_equal([env.get_state().values()], [before.values()])
    with pytest.raises(ValueError, match="no options"):
        env.reset(options={"lives": 9})
    with pytest.raises(ValueError, match="'ascii'\n  use '.* or None"):
        single(world, render_mode="ascii")
    if world.terminates:
        while not env.step(int(env.np_random.integers(len(world.actions))))[2]:
            pass
        with pytest.raises(ResetNeeded):
            env.step(0)


@over(WORLDS)
def test_wrong_use_of_many_games_is_refused_and_moves_nothing(world):
    envs = vector(world, 3)
    with pytest.raises(ResetNeeded, match="call reset"):
        envs.step(np.zeros(3, np.int64))
    envs.reset(seed=0)
    before = envs.get_state()
    last = len(world.actions)
    for wrong in ([0, 1, last], [-1, 0, 0], [0, 1], 0, [0.0, 1.0, 0.0], [[0, 1, 0]]):
        with pytest.raises(InvalidAction) as caught:
            envs.step(wrong)
        assert "\n" not in str(caught.value)
    assert_equal([envs.get_state().values()], [before.values()])
    with pytest.raises(ValueError, match="no options"):
        envs.reset(options={"lives": 9})


@over(WORLDS)
def test_a_time_limit_truncates_and_does_not_terminate(world):
    envs, one = make_vector(world.id, 2, max_episode_steps=5), gymnasium.make(world.id, max_episode_steps=5)
    envs.reset(seed=0)
    for game in range(2):
        one.reset(seed=game)
        for t in range(5):
            action = t % 2 if len(world.actions) == 2 else 0  # no way to an end in so few steps
            *_, terminated, truncated, infos = envs.step([action, action])
            assert not terminated.any() and truncated.all() == truncated.any() == (t == 4)
            assert ("final_obs" in infos) == (t == 4)
            assert one.step(action)[2:4] == (False, t == 4)


@over(WORLDS)
def test_one_vector_game_equals_the_single_game(world):
    """Of CartPole that is Gymnasium's, equal to the last digits of float32."""
    many, one = vector(world, 1), gymnasium.make(world.id, max_episode_steps=world.limit)
    exact = 0 if world in OWN else 1e-5
    observation, info = one.reset(seed=5)
    np.testing.assert_allclose(many.reset(seed=5)[0][0], observation, rtol=exact)
    ends = set()
    for (action,) in draws(world, 30 * world.limit, 1):
        observation, reward, terminated, truncated, info = one.step(action)
        observations, rewards, terminations, truncations, infos = many.step([action])
        assert (rewards[0], terminations[0], truncations[0]) == (reward, terminated, truncated)
        if terminated or truncated:
            ends.add((terminated, truncated))
            np.testing.assert_allclose(infos["final_obs"][0], observation, rtol=exact, atol=exact)
            if "final_info" in infos:
                assert {name: infos["final_info"][name][0] for name in info} == info
            observation, _ = one.reset()
        else:
            assert infos == {}
        np.testing.assert_allclose(observations[0], observation, rtol=exact, atol=exact)
    assert {(True, False), (False, True)} <= ends if world.terminates else ends == {(False, True)}


@over(WORLDS)
def test_every_game_moves_alone_and_restarts_in_the_step_that_ends_it(world):
    """Each row is compared with a vector of one game that starts from the same state and is not restarted."""
    envs, alone = vector(world), vector(world, 1)
    envs.set_state(of_different_ages(world))
    starts = 0
    for actions in draws(world, 10 * world.limit):
        before = envs.get_state()
        observations, rewards, terminated, truncated, infos = envs.step(actions)
        ended = terminated | truncated
        assert ("final_obs" in infos) == ended.any()
        now = envs.observe()
        np.testing.assert_array_equal(observations, now)
        for i in range(GAMES):
            alone.set_state({**before, "states": before["states"][i : i + 1]})
            now_alone, reward, over, cut, ends = alone.step(actions[i : i + 1])
            last = ends.get("final_obs", now_alone)
            assert (reward[0], over[0], cut[0]) == (rewards[i], terminated[i], truncated[i])
            if not ended[i]:
                np.testing.assert_array_equal(observations[i], last[0])
                assert "final_obs" not in infos or not np.any(infos["final_obs"][i])
                continue
            starts += 1
            np.testing.assert_array_equal(infos["final_obs"][i], last[0])
            assert is_a_start(envs, i, alone)
        if ended.any():
            np.testing.assert_array_equal(infos["_final_obs"], ended)
            np.testing.assert_array_equal(infos.get("_final_info", ended), ended)
            for name, values in infos.get("final_info", {}).items():
                assert np.array_equal(values, ended) if name[0] == "_" else not values[~ended].any()
    assert starts > 2 * GAMES


def of_different_ages(world) -> dict[str, Any]:
    """The state of games that began one after the other, so that they end one after the other."""
    envs = vector(world)
    envs.reset(seed=1)
    state = envs.get_state()
    for i, actions in enumerate(draws(world, GAMES)):
        state["states"][i] = envs.states[i]
        envs.step(actions)
    return state


def is_a_start(envs, i, alone) -> bool:
    """Game i is where a game may start: its numbers lie in the range of 200 starts."""
    starts = []
    for seed in range(200):
        alone.reset(seed=seed)
        starts.append(alone.states[0].copy())
    state = envs.states[i]
    return bool(np.all((state >= np.min(starts, axis=0) - 0.01) & (state <= np.max(starts, axis=0) + 0.01)))


@over(OWN)
def test_a_picture_is_bytes_and_text_is_text(world):
    env = single(world, render_mode="rgb_array")
    env.reset(seed=0)
    picture = env.render()
    assert picture.ndim == 3 and picture.shape[2] == 3 and picture.dtype == np.uint8
    env.step(1)
    assert np.any(env.render() != picture)
    if "ansi" in env.metadata["render_modes"]:
        env = single(world, render_mode="ansi")
        env.reset(seed=0)
        text = env.render()
        env.step(1)
        assert isinstance(text, str) and env.render() != text
    assert single(world).render() is None


@over(OWN)
def test_a_window_shows_the_picture_enlarged_and_notices_its_closing(world, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    import pygame

    env = single(world, render_mode="human")
    env.reset(seed=0)
    env.step(1)
    picture = env.picture()
    scale = 512 // max(picture.shape)
    shown = pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1)
    np.testing.assert_array_equal(shown, picture.repeat(scale, axis=0).repeat(scale, axis=1))
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    with pytest.raises(KeyboardInterrupt, match="closed"):
        env.step(1)
    env.close()


@over(OWN)
def test_a_window_without_a_screen_is_one_clear_error(world, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    if sys.platform != "linux":
        pytest.skip("only here can a screen be taken away")
    from rl.envs.window import NoScreenError

    with pytest.raises(NoScreenError, match="no screen.*\n.*rgb_array"):
        single(world, render_mode="human").reset()


@pytest.mark.parametrize("name", ["bandit_sim", "cartpole_sim", "catcher_sim", "maze_sim"])
def test_a_simulators_flags_are_those_of_the_protocol(name):
    simulator = import_module(f"rl.envs.{name}")
    flags = [flag for flag in ("SPAWNED", "ENDED", "BAD_ACTION") if hasattr(simulator, flag)]
    assert {"ENDED", "BAD_ACTION"} <= set(flags)
    for flag in flags:
        assert getattr(simulator, flag) == getattr(native_vector, flag)
