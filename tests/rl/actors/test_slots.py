"""Slots: what arrives at the learner is what its own replay would hold had it played itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nnlite_ext._replay import LAST, MOVE

from rl.actors.slots import copy_slots, truncate_games, write_slots
from rl.core.replay import ReplayBuffer
from tests.examples import examples


def step_of(rng, games, stack):
    """One made-up step: what ReplayBuffer.add wants."""
    observations, following = rng.integers(0, 256, (2, games, 2, 3, stack), np.uint8)
    terminated, truncated = rng.random((2, games)) < 0.2
    actions, rewards = rng.integers(0, 4, games), rng.normal(size=games)
    return observations, actions, rewards, terminated, terminated | truncated, following


def replay_of(games, length, stack, n_step=2):
    return ReplayBuffer(games * length, games, (2, 3, stack), np.uint8, stack=stack, n_step=n_step, gamma=0.9)


@examples(30)
@given(
    actors=st.integers(1, 3),
    games=st.integers(1, 3),
    stack=st.integers(2, 4),
    segment=st.integers(1, 6),
    segments=st.integers(1, 12),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_learners_rings_are_those_of_the_actors_end_to_end(actors, games, stack, segment, segments, seed):
    rng = np.random.default_rng(seed)
    learner = replay_of(actors * games, 25, stack)
    alone = [replay_of(games, 25, stack) for _ in range(actors)]  # as long as the learner's rings
    small = [replay_of(games, 2 * segment + 8, stack) for _ in range(actors)]
    sent = [np.zeros(games, np.int64) for _ in range(actors)]
    steps = 0
    for _ in range(segments):
        for actor in rng.permutation(actors):
            for _ in range(segment):
                step = step_of(rng, games, stack)
                alone[actor].add(*step)
                small[actor].add(*step)
            slots = copy_slots(small[actor], sent[actor])
            sent[actor] = small[actor].written.copy()
            write_slots(learner, int(actor) * games, slots)
            steps += slots.steps
    assert steps == segments * actors * games * segment
    acted = learner.kind != LAST  # where nobody acts, old numbers are left
    for name in ("frames", "kind", "age", "actions", "rewards", "written"):
        one, two = getattr(learner, name), np.concatenate([getattr(one, name) for one in alone])
        mask = acted if name in ("actions", "rewards") else ...
        np.testing.assert_array_equal(one[mask], two[mask], err_msg=name)


def test_a_frame_is_sent_once():
    replay = replay_of(2, 40, 4)
    rng = np.random.default_rng(0)
    for _ in range(10):
        observations, actions, rewards, *_, following = step_of(rng, 2, 4)
        replay.add(observations, actions, rewards, np.zeros(2, bool), np.zeros(2, bool), following)
    slots = copy_slots(replay, np.zeros(2, np.int64))
    assert slots.frames.nbytes == 20 * 2 * 3 and slots.nbytes == 20 * (2 * 3 + 14) + slots.counts.nbytes


def ring_of_numbers(n_step):
    """One game that shows its time, 100 and more after it was abandoned."""
    replay = ReplayBuffer(40, 1, (1,), np.float32, n_step=n_step, gamma=0.5)

    def add(values):
        for t in values:
            now = np.array([[t]], np.float32)
            replay.add(now, np.zeros(1, int), np.ones(1), np.zeros(1, bool), np.zeros(1, bool), now + 1)

    return replay, add


def test_a_game_that_is_lost_is_bootstrapped_from_its_last_known_frame():
    replay, add = ring_of_numbers(n_step=3)
    add(range(10))
    truncate_games(replay, 0, 1)
    truncate_games(replay, 0, 1)  # once more changes nothing
    add(range(100, 110))
    batch = replay.sample(600, np.random.default_rng(0))
    first, last = batch.observations[:, 0], batch.next_observations[:, 0]
    assert set(first.tolist()) == {*range(9), *range(100, 107)}  # nothing starts at 9 any more
    assert set(last[first < 50].tolist()) == {*range(3, 10)}  # never in the next game
    np.testing.assert_allclose(batch.discounts[first == 8], 0.5)
    np.testing.assert_allclose(batch.discounts[first == 2], 0.125)


def test_only_a_game_under_way_can_be_lost():
    replay = replay_of(3, 20, 2)
    truncate_games(replay, 0, 3)  # nothing was ever played
    assert not replay.written.any()
    observations, actions, rewards, *_ = step_of(np.random.default_rng(0), 3, 2)
    ends, stops = np.array([True, False, False]), np.array([False, True, False])
    replay.add(observations, actions, rewards, ends, stops, observations)
    before = replay.kind.copy()
    truncate_games(replay, 0, 3)
    assert (replay.kind != before).sum() == 1 and before[2, 0] == MOVE and replay.kind[2, 0] == LAST


def test_what_does_not_fit_is_refused_and_nothing_is_written():
    replay, other = replay_of(2, 20, 2), replay_of(1, 20, 2)
    rng = np.random.default_rng(0)
    for _ in range(30):
        replay.add(*step_of(rng, 2, 2))
        other.add(*step_of(rng, 1, 2))
    with pytest.raises(ValueError, match="keeps 20 slots"):
        copy_slots(replay, np.zeros(2, np.int64))
    slots = copy_slots(replay, replay.written - 5)
    state = {name: np.array(value) for name, value in other.get_state().items()}
    fits = copy_slots(other, other.written - 3)
    odd = fits._replace(counts=np.array([30])), fits._replace(age=slots.age)
    for first, wrong in ((0, slots), (-1, fits), (1, fits), *((0, one) for one in odd)):
        with pytest.raises(ValueError, match="do not fit|stores frames"):
            write_slots(other, first, wrong)
    with pytest.raises(ValueError, match="stores frames"):
        write_slots(replay_of(2, 20, 3), 0, slots._replace(frames=slots.frames.astype(np.float32)))
    for name, value in other.get_state().items():
        np.testing.assert_array_equal(np.array(value), state[name])
