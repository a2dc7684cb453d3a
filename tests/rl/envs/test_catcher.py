"""Catcher: its rules against recorded games, its screen against a naive painter."""

import pathlib

import gymnasium
import numpy as np
import pytest

from rl.envs import catcher_sim as sim
from rl.envs.catcher import CatcherEnv, CatcherVectorEnv
from tests.rl.helpers import read_json

RECORDED = read_json(pathlib.Path(__file__).parents[2] / "data" / "catcher_reference.json")
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
    state = env.games.states[0]
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
        total, _, catches, misses = returns_of_20_games(lambda states, a=action: np.full(len(states), a))
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
    columns, heights = (sorted(set(axis)) for axis in places.T)
    assert columns == list(range(8, 53, 4)) and heights == list(range(-28, -3, 4))
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
        expected = naive_screen(*state[[sim.PADDLE_X, sim.FRUIT_X, sim.FRUIT_Y]])
        np.testing.assert_array_equal(screen, expected)
    np.testing.assert_array_equal(grey, np.floor(screens @ [0.299, 0.587, 0.114] + 1e-9))


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
    wrong = actions[:2] + 1 - actions[:2] % 2 * 5
    assert sim.rollout(rng, state["states"], wrong, limit, screens, rewards, *ends) == 0


def test_rgb_array_is_the_screen():
    env = gymnasium.make("rl/Catcher-v0", render_mode="rgb_array")
    observation, _ = env.reset(seed=0)
    np.testing.assert_array_equal(env.render(), observation)
    envs = gymnasium.make_vec("rl/Catcher-v0", num_envs=2, render_mode="rgb_array")
    shown, _ = envs.reset(seed=0)
    np.testing.assert_array_equal(envs.render(), shown)
