"""Catcher: its rules against recorded games, its screen against a painter of its own, its two environments
against each other."""

import json
import pathlib
import subprocess
import sys
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import rl
from rl.envs import catcher_sim as sim
from rl.envs import make_vector, native_vector
from rl.envs.catcher import CatcherEnv
from rl.envs.catcher_vector import CatcherVectorEnv

RECORDED = json.loads(
    (pathlib.Path(__file__).parents[2] / "data/catcher_reference.json").read_text(encoding="utf-8")
)
LEFT, RIGHT, STAY = 0, 1, 2
SEEN = [sim.PADDLE_X, sim.PADDLE_VEL, sim.FRUIT_X, sim.FRUIT_Y, sim.LIVES_LEFT]


def naive_screen(paddle_x, fruit_x, fruit_y):
    screen = np.zeros((64, 64, 3), dtype=np.uint8)
    for y in range(64):
        for x in range(64):
            if 0 <= x - paddle_x <= 12 and 58 <= y <= 60:
                screen[y, x] = (255, 255, 255)
            if 0 <= x - fruit_x <= 3 and 0 <= y - fruit_y <= 3:
                screen[y, x] = (255, 120, 120)
    return screen


def follow(states):
    """For each game, the action that brings the paddle under the fruit."""
    gap = states[:, sim.FRUIT_X] - states[:, sim.PADDLE_X]
    return np.where(gap < -2, LEFT, np.where(gap > 2, RIGHT, STAY))


def returns_of_20_games(choose, limit=10_000):
    """Returns, lengths and infos of 20 games whose actions are `choose(states)`."""
    envs = CatcherVectorEnv(20, limit)
    envs.reset(seed=12345)
    total, length, playing = np.zeros(20), np.zeros(20, dtype=int), np.ones(20, dtype=bool)
    catches, misses = np.zeros(20, dtype=int), np.zeros(20, dtype=int)
    while playing.any():
        _, rewards, terminated, truncated, infos = envs.step(choose(envs.states))
        total += rewards * playing
        length += playing
        ended = playing & (terminated | truncated)
        if ended.any():
            catches[ended], misses[ended] = (infos["final_info"][key][ended] for key in ("catches", "misses"))
        playing &= ~ended
    return total, length, catches, misses


@pytest.mark.parametrize("policy", sorted(RECORDED))
def test_recorded_games_replay_exactly(policy):
    rows = RECORDED[policy]
    env = CatcherEnv()
    env.reset(seed=0)
    state = env._states[0]
    np.testing.assert_array_equal(state[[sim.PADDLE_X, sim.PADDLE_VEL, sim.LIVES_LEFT]], [25, 0, 3])
    state[[sim.FRUIT_X, sim.FRUIT_Y]] = rows[0][4:6]
    for t, row in enumerate(rows[1:]):
        _, action, paddle_x, velocity, fruit_x, fruit_y, reward, lives = row
        if reward:  # a new fruit: at the recorded place before its first fall, 3 px above the screen
            state[[sim.NEXT_X, sim.NEXT_Y]] = fruit_x, fruit_y - 3
            assert fruit_y - 3 in range(-28, -3, 4), "the recording itself shows a spawn"
        observation, got, terminated, truncated, info = env.step(action)
        assert got == reward, t
        expected = [paddle_x, velocity, fruit_x, fruit_y, lives]
        np.testing.assert_allclose(state[SEEN], expected, atol=1e-4, err_msg=str(t))
        np.testing.assert_array_equal(observation, naive_screen(paddle_x, fruit_x, fruit_y))
        assert (terminated, truncated, info["lives"]) == (lives == 0, False, lives)


def test_known_returns_of_simple_policies():
    for action, mean, spread in [(LEFT, -7.80, 0.51), (STAY, -6.35, 1.56)]:
        total, _, catches, misses = returns_of_20_games(
            lambda states, action=action: np.full(len(states), action)
        )
        assert abs(total.mean() - mean) < 4 * spread / np.sqrt(20), (action, total.mean())
        np.testing.assert_array_equal(total, catches - 8)
        assert (misses == 3).all()
    rng = np.random.default_rng(7)
    total, _, catches, _ = returns_of_20_games(lambda states: rng.integers(3, size=len(states)))
    assert abs(total.mean() - -6.60) < 4 * 1.39 / np.sqrt(20), total.mean()
    assert 0.2 < catches.sum() / (catches.sum() + 60) < 0.45


def test_a_fruit_is_caught_exactly_where_it_overlaps_the_paddle():
    gap, y = (grid.ravel() for grid in np.meshgrid(np.arange(-15, 16), np.arange(40, 70)))
    envs = CatcherVectorEnv(len(gap))
    envs.reset(seed=0)
    envs.states[:, sim.PADDLE_X] = 25
    envs.states[:, sim.FRUIT_X], envs.states[:, sim.FRUIT_Y] = 25 + gap, y
    _, rewards, *_ = envs.step(np.full(len(gap), STAY))
    caught = (-7 <= gap) & (gap <= 8) & (56 <= y) & (y <= 61)
    np.testing.assert_array_equal(rewards, np.where(y >= 64, -1, caught))
    np.testing.assert_array_equal(envs.states[:, sim.CATCHES], caught)
    np.testing.assert_array_equal(envs.states[:, sim.LIVES_LEFT], np.where(y >= 64, 2, 3))


def test_following_the_fruit_never_misses():
    total, length, catches, misses = returns_of_20_games(follow, limit=1000)
    assert (length == 1000).all() and (misses == 0).all()
    np.testing.assert_array_equal(total, catches)
    assert abs(total.mean() - 29.14) < 0.45, total.mean()


def test_spawns_cover_every_place_evenly():
    spawns = sim.draw_spawns(np.random.default_rng(0), 84_000)
    places, counts = np.unique(spawns, axis=0, return_counts=True)
    assert sorted(set(places[:, 0])) == list(range(8, 53, 4)) and sorted(set(places[:, 1])) == list(
        range(-28, -3, 4)
    )
    assert len(places) == 84 and abs(counts - 1000).max() < 160  # five deviations


def test_painting_equals_a_naive_painter_everywhere():
    states = np.zeros((70, sim.COLUMNS))
    states[:, sim.FRUIT_Y] = np.arange(-4, 66)
    states[:, sim.PADDLE_X] = np.arange(70) % 52
    states[:, sim.FRUIT_X] = np.clip(states[:, sim.PADDLE_X] + np.arange(70) % 23 - 5, 8, 52)
    screens, grey = np.full((70, 64, 64, 3), 7, dtype=np.uint8), np.full((70, 64, 64), 7, dtype=np.uint8)
    sim.paint_screens(states, screens)
    sim.render_luminance(states, grey)
    for state, screen in zip(states, screens):
        np.testing.assert_array_equal(
            screen, naive_screen(state[sim.PADDLE_X], state[sim.FRUIT_X], state[sim.FRUIT_Y])
        )
    np.testing.assert_array_equal(grey, np.floor(screens @ [0.299, 0.587, 0.114] + 1e-9))


def test_check_env_passes_without_a_warning(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make("rl:rl/Catcher-v0").unwrapped)


def test_registered_with_the_originals_limit():
    env = gymnasium.make("rl/Catcher-v0")
    assert env.spec.max_episode_steps == 10_000 and env.observation_space.shape == (64, 64, 3)
    envs = gymnasium.make_vec("rl/Catcher-v0", num_envs=8, vectorization_mode="vector_entry_point")
    assert isinstance(envs, CatcherVectorEnv) and envs.max_episode_steps == 10_000
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP


def test_importing_rl_brings_neither_numba_nor_pygame():
    code = (
        "import sys, rl, rl.envs; sys.exit(any(name in sys.modules for name in ('numba', 'pygame', "
        "'matplotlib')))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=pathlib.Path(rl.__file__).parents[1]).returncode == 0
    )


def test_a_seed_fixes_the_game_and_a_time_limit_ends_it():
    def game(seed):
        env = gymnasium.make("rl/Catcher-v0", max_episode_steps=80)
        observations = [env.reset(seed=seed)[0]]
        for t in range(80):
            observation, _, terminated, truncated, _ = env.step(t % 3)
            observations.append(observation)
        assert truncated and not terminated
        return np.array(observations)

    assert np.array_equal(game(3), game(3)) and not np.array_equal(game(3), game(4))


def test_wrong_use_is_refused():
    env = CatcherEnv()
    with pytest.raises(ResetNeeded, match="reset"):
        env.step(0)
    env.reset(seed=0)
    before = env.get_state()["states"]
    for wrong in (3, -1, 1.0, "left", None, np.array([0, 1]), 10**30):
        with pytest.raises(InvalidAction, match="0 .left., 1 .right. or 2 .stay."):
            env.step(wrong)
    np.testing.assert_array_equal(env.get_state()["states"], before)
    with pytest.raises(ValueError, match="options"):
        env.reset(options={"lives": 9})
    with pytest.raises(ValueError, match="ansi"):
        CatcherEnv(render_mode="ansi")
    while not env.step(np.int64(LEFT))[2]:
        pass
    with pytest.raises(ResetNeeded):
        env.step(0)


def test_wrong_use_of_many_games_is_refused():
    envs = CatcherVectorEnv(3)
    with pytest.raises(ResetNeeded):
        envs.step(np.zeros(3, dtype=int))
    envs.reset(seed=0)
    before = envs.get_state()["states"]
    for wrong in ([0, 1, 3], [-1, 0, 0], [0, 1], 0, [0.0, 1.0, 2.0], [[0, 1, 2]]):
        with pytest.raises(InvalidAction):
            envs.step(wrong)
    np.testing.assert_array_equal(envs.get_state()["states"], before)
    with pytest.raises(ValueError, match="human"):
        CatcherVectorEnv(3, render_mode="human")


def test_one_vector_game_equals_the_single_game():
    single, many = gymnasium.make("rl/Catcher-v0", max_episode_steps=150), CatcherVectorEnv(1, 150)
    shown, _ = single.reset(seed=5)
    np.testing.assert_array_equal(many.reset(seed=5)[0][0], shown)
    rng = np.random.default_rng(5)
    ways_to_end = set()
    for _ in range(3000):
        action = int(rng.integers(3)) if len(ways_to_end) == 1 else STAY
        shown, reward, terminated, truncated, info = single.step(action)
        screens, rewards, terminations, truncations, infos = many.step([action])
        assert (rewards[0], terminations[0], truncations[0]) == (reward, terminated, truncated)
        if terminated or truncated:
            ways_to_end.add((terminated, truncated))
            np.testing.assert_array_equal(infos["final_obs"][0], shown)
            assert {key: infos["final_info"][key][0] for key in info} == info
            shown, _ = single.reset()
        else:
            assert infos == {}
        np.testing.assert_array_equal(screens[0], shown)
    assert len(ways_to_end) == 2


def test_many_games_equal_gymnasiums_own_vector_of_single_games():
    """The games are set to the same states, since N single games draw from N generators; falls are then in
    step.
    """
    many = CatcherVectorEnv(5, 60)
    games = SyncVectorEnv([CatcherEnv] * 5, autoreset_mode=AutoresetMode.SAME_STEP)
    many.reset(seed=0)
    games.reset(seed=0)
    rng = np.random.default_rng(0)
    for t in range(60):
        for game, state in zip(games.envs, many.states):
            game._states[0] = state
        actions = rng.integers(3, size=5)
        mine, theirs = many.step(actions), games.step(actions)
        for ours, other in zip(mine[1:3], theirs[1:3]):
            np.testing.assert_array_equal(ours, other)
        assert mine[3].all() == (t == 59)
        last = mine[4]["final_obs"] if t == 59 else mine[0]
        np.testing.assert_array_equal(last, theirs[0])


def test_final_obs_is_the_last_screen_of_exactly_the_games_that_ended():
    envs = CatcherVectorEnv(4, 500)
    envs.reset(seed=1)
    ends = 0
    for _ in range(400):
        before = envs.states.copy()
        screens, _, terminated, truncated, infos = envs.step(np.full(4, LEFT))
        ended = terminated | truncated
        assert ("final_obs" in infos) == ended.any()
        if not ended.any():
            continue
        ends += ended.sum()
        np.testing.assert_array_equal(infos["_final_obs"], ended)
        fruit = np.trunc(before[:, sim.NEXT_Y] + sim.FRUIT_SPEED)
        for i in np.flatnonzero(ended):  # the miss that ended the game had brought one more fruit
            np.testing.assert_array_equal(
                infos["final_obs"][i], naive_screen(0, before[i, sim.NEXT_X], fruit[i])
            )
            np.testing.assert_array_equal(
                screens[i], naive_screen(25, *envs.states[i, sim.FRUIT_X : sim.FRUIT_Y + 1])
            )
        assert not infos["final_obs"][~ended].any()
        np.testing.assert_array_equal(infos["final_info"]["misses"], np.where(ended, 3, 0))
        assert (envs.states[ended, sim.STEPS] == 0).all()
    assert ends > 4


def test_what_a_step_returns_is_never_written_again():
    envs = CatcherVectorEnv(2)
    kept = [envs.reset(seed=0)[0]]
    copies = [kept[0].copy()]
    for _ in range(30):
        kept.append(envs.step([LEFT, RIGHT])[0])
        copies.append(kept[-1].copy())
    np.testing.assert_array_equal(kept, copies)


@pytest.mark.parametrize("make", [lambda: CatcherVectorEnv(6, 90), CatcherEnv])
def test_a_saved_state_goes_on_identically(make):
    def play(env, count):
        trace = []
        for t in range(count):
            result = env.step(np.full(6, t % 3) if env_is_vector else t % 3)
            trace.append([result[0].copy(), *result[1:4]])
            if not env_is_vector and result[2]:
                env.reset()
        return trace

    first, second = make(), make()
    env_is_vector = isinstance(first, CatcherVectorEnv)
    first.reset(seed=9)
    play(first, 100)
    saved = json.loads(json.dumps(first.get_state(), default=lambda array: array.tolist()))  # survives a file
    second.set_state(saved)
    np.testing.assert_array_equal(first.observe(), second.observe())
    for ours, theirs in zip(play(first, 200), play(second, 200)):
        for one, other in zip(ours, theirs):
            np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="shape"):
        CatcherVectorEnv(7).set_state(saved)


def test_rollout_equals_the_vector_environment_step_by_step():
    count, games, limit = 300, 3, 120
    envs = CatcherVectorEnv(games, limit)
    envs.reset(seed=11)
    state = envs.get_state()
    actions = np.random.default_rng(0).integers(3, size=(count, games))
    rng = np.random.default_rng()
    rng.bit_generator.state = state["np_random"]
    screens = np.empty((games, 64, 64, 3), dtype=np.uint8)
    rewards, ends = np.empty((count, games)), np.empty((2, count, games), dtype=bool)
    assert sim.rollout(rng, state["states"], actions, limit, screens, rewards, *ends) == count
    for t in range(count):
        observations, *stepped, infos = envs.step(actions[t])
        np.testing.assert_array_equal(stepped, [rewards[t], *ends[:, t]])
    np.testing.assert_array_equal(state["states"], envs.states)
    np.testing.assert_array_equal(screens, infos.get("final_obs", observations))
    assert rng.random() == envs.np_random.random() and ends[0].any() and ends[1].any()
    assert (
        sim.rollout(
            rng, state["states"], actions[:2] + 1 - actions[:2] % 2 * 5, limit, screens, rewards, *ends
        )
        == 0
    )


def test_window_without_a_screen_is_one_clear_error(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    if sys.platform != "linux":
        pytest.skip("only here can a screen be taken away")
    from rl.envs.window import NoScreenError

    with pytest.raises(NoScreenError, match="no screen.*\n.*rgb_array"):
        gymnasium.make("rl/Catcher-v0", render_mode="human").reset()


def test_rgb_array_is_the_screen():
    env = gymnasium.make("rl/Catcher-v0", render_mode="rgb_array")
    observation, _ = env.reset(seed=0)
    np.testing.assert_array_equal(env.render(), observation)
    envs = gymnasium.make_vec("rl/Catcher-v0", num_envs=2, render_mode="rgb_array")
    shown, _ = envs.reset(seed=0)
    np.testing.assert_array_equal(envs.render(), shown)


def test_flags_are_those_of_the_protocol():
    for name in ("SPAWNED", "ENDED", "BAD_ACTION"):
        assert getattr(sim, name) == getattr(native_vector, name)


def test_make_vector_gives_the_native_one():
    envs = make_vector("rl:rl/Catcher-v0", 2, max_episode_steps=50)
    assert isinstance(envs, CatcherVectorEnv) and envs.max_episode_steps == 50
    assert make_vector("rl/Catcher-v0", 1).max_episode_steps == 10_000


def test_the_window_shows_the_frame_enlarged_and_notices_its_closing(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    import pygame

    env = gymnasium.make("rl/Catcher-v0", render_mode="human")
    observation, _ = env.reset(seed=0)
    observation, *_ = env.step(LEFT)
    shown = pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1)
    np.testing.assert_array_equal(shown, observation.repeat(8, axis=0).repeat(8, axis=1))
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    with pytest.raises(KeyboardInterrupt, match="closed"):
        env.step(LEFT)
    env.close()
