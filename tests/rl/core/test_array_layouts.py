"""Arrays as environments and callers give them: read as they are, or refused with a ValueError."""

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import VectorEnv

from rl.core.observer import ScreenObserver
from rl.core.replay import ReplayBuffer
from rl.core.returns import td_loss, td_target
from tests.layouts import LAYOUTS

rng = np.random.default_rng(0)
NO = np.zeros(2, bool)


def steps(count=9, games=2):
    """Arguments of ReplayBuffer.add, from steps of 3 x 4 screens, stacks of 2."""
    for t in range(count):
        ends = np.array([t % 4 == 3, False])
        now, after = rng.integers(0, 256, (2, games, 3, 4, 2), np.uint8)
        yield now, rng.integers(0, 3, games), rng.normal(size=games), ends, ends | (t % 5 == 4), after


def replay():
    return ReplayBuffer(40, 2, (3, 4, 2), np.uint8, stack=2)


def same(mine, other):
    for name in ("frames", "kind", "age", "actions", "rewards", "written", "played"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(other, name), name)


def store(*change):
    """A plain replay, and one of steps whose arrays are changed by these functions."""
    plain, odd = replay(), replay()
    for step in steps():
        plain.add(*step)
        odd.add(*(apply(array) for apply, array in zip(change, step)))
    return odd, plain


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_replay_stores_steps_of_any_layout(layout):
    same(*store(*[LAYOUTS[layout]] * 6))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("stored", ["<f4", ">f4"])
def test_floats_are_stored_as_they_are(stored, layout):
    buffer, change = ReplayBuffer(20, 2, (3,), stored), LAYOUTS[layout]
    rows = np.arange(6, dtype=np.float32).reshape(2, 3)
    for observations in (rows, rows + 10):
        buffer.add(*map(change, (observations, np.array([0, 1]), np.array([1.5, 2.5]))), NO, NO, change(rows))
    batch = buffer.sample(50, np.random.default_rng(0))
    np.testing.assert_array_equal(batch.observations, rows[batch.actions])
    np.testing.assert_array_equal(batch.returns, np.float32([1.5, 2.5])[batch.actions])
    assert {*map(tuple, batch.next_observations)} == {*map(tuple, rows + 10)}


@pytest.mark.parametrize("flags", [np.uint8, np.int64, np.float64])
def test_flags_of_any_type_are_read_as_what_they_say(flags):
    as_they_are, as_type = (lambda a: a), (lambda a: a.astype(flags))
    same(*store(*[as_they_are] * 3, as_type, as_type, as_they_are))


@pytest.mark.parametrize(
    ("place", "change", "words"),
    [
        (0, lambda a: a / np.float32(255), "observations"),  # floats would become zeros
        (0, lambda a: a.astype(np.int64) - 300, "observations"),
        (0, lambda a: a[:1], "stores"),
        (0, lambda a: a[..., :1], "stores"),
        (5, lambda a: a.astype(object), "observations"),
        (1, lambda a: a + 0.5, "actions"),
        (1, lambda a: a[:, None], "must be"),
        (2, lambda a: a + 1j, "rewards"),
        (2, lambda a: a.astype(str), "rewards"),
        (3, lambda a: a[:1], "must be"),
        (4, lambda a: np.array(True), "must be"),
    ],
)
def test_a_replay_refuses_what_it_would_change(place, change, words):
    buffer, step = replay(), list(next(steps()))
    step[place] = change(step[place])
    with pytest.raises(ValueError, match=words):
        buffer.add(*step)
    same(buffer, replay())


@pytest.mark.parametrize("size", [0, -1])
def test_an_empty_batch_is_not_drawn(size):
    buffer = replay()
    for step in steps():
        buffer.add(*step)
    with pytest.raises(ValueError, match="at least one"):
        buffer.sample(size, rng)


@pytest.mark.parametrize("name", ["written", "played"])
def test_a_replay_s_saved_places_are_inside_its_rings(name):
    buffer = replay()
    state = {**buffer.get_state(), name: np.array([0, -1])}
    with pytest.raises(ValueError, match=name):
        buffer.set_state(state)


class Screens(VectorEnv):
    """An environment that announces (6, 5, 3) bytes and shows what it was given."""

    def __init__(self, screens):
        self.num_envs, self.screens = 2, screens
        self.single_observation_space = spaces.Box(0, 255, (6, 5, 3), np.uint8)
        self.observation_space = spaces.Box(0, 255, (2, 6, 5, 3), np.uint8)
        self.single_action_space = self.action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        return self.screens, {}


SCREENS = rng.integers(0, 256, (2, 6, 5, 3), np.uint8)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_observer_reads_screens_of_any_layout(layout):
    expected = ScreenObserver(Screens(SCREENS), 4, 4).reset()[0]
    found = ScreenObserver(Screens(LAYOUTS[layout](SCREENS)), 4, 4).reset()[0]
    np.testing.assert_array_equal(found, expected)


OTHER_SIZES = [SCREENS[:1], SCREENS[:, :5], SCREENS[:, :, :4], SCREENS[..., :1], SCREENS[0]]


@pytest.mark.parametrize("screens", OTHER_SIZES + [SCREENS.astype(t) for t in (float, "i8", "i1", object)])
def test_an_observer_refuses_other_screens_than_announced(screens):
    """The kernel reads by the announced size: a smaller screen would be read beyond its end."""
    with pytest.raises(ValueError, match=r"announced screens uint8\(2, 6, 5, 3\)"):
        ScreenObserver(Screens(screens), 4, 4).reset()


def batch(dtype=np.float32):
    whole = np.random.default_rng(1).integers(-9, 10, (4, 5, 3)).astype(dtype)
    return {"returns": whole[0, :, 0], "discounts": whole[1, :, 0], "next_q": whole[2], "chooser": whole[3]}


@pytest.mark.parametrize("layout", [*LAYOUTS, "float64", "float16", "int8"])
@pytest.mark.parametrize("name", ["returns", "discounts", "next_q", "chooser"])
def test_targets_are_the_same_from_any_layout(name, layout):
    expected = td_target(**batch())
    change = LAYOUTS.get(layout, lambda a: a.astype(layout))
    given = batch()
    np.testing.assert_array_equal(td_target(**{**given, name: change(given[name])}), expected)


@pytest.mark.parametrize("layout", [*LAYOUTS, "float64", "float16"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_loss_is_the_same_from_any_layout(place, layout):
    arguments = [batch()["next_q"], np.array([0, 2, 1, 0, 2]), batch()["returns"]]
    value, dq = td_loss(*arguments)
    if layout in LAYOUTS:
        arguments[place] = LAYOUTS[layout](arguments[place])
    elif place != 1:
        arguments[place] = arguments[place].astype(layout)
    odd_value, odd_dq = td_loss(*arguments)
    assert odd_value == pytest.approx(value, rel=1e-6)
    np.testing.assert_allclose(odd_dq, dq, rtol=1e-3 if layout == "float16" else 1e-6)


@pytest.mark.parametrize("actions", [[3] * 5, [-1] * 5, [0.0] * 5, [True] * 5, [[0]] * 5, [0], 0])
def test_actions_that_are_none_are_refused(actions):
    with pytest.raises(ValueError, match="actions"):
        td_loss(batch()["next_q"], np.array(actions), batch()["returns"])


@pytest.mark.parametrize(
    ("q", "targets", "delta"),
    [
        (np.zeros((0, 3)), np.zeros(0), 1.0),
        (np.zeros((5, 3), int), np.zeros(5), 1.0),
        (np.zeros((5, 3)), np.zeros((5, 1)), 1.0),
        (np.zeros((5, 3)), np.zeros(5), 0.0),
        (np.zeros((5, 3)), np.zeros(5), np.nan),
    ],
)
def test_a_loss_over_nothing_or_of_whole_numbers_is_refused(q, targets, delta):
    with pytest.raises(ValueError):
        td_loss(q, np.zeros(len(q), np.int64), targets, delta)


@pytest.mark.parametrize(
    ("name", "wrong"), [("returns", (5, 1)), ("discounts", (1,)), ("next_q", (5, 3, 1)), ("chooser", (5, 2))]
)
def test_targets_never_broadcast(name, wrong):
    with pytest.raises(ValueError, match=r"\(N"):
        td_target(**{**batch(), name: np.zeros(wrong, np.float32)})
