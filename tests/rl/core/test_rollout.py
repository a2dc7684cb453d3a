"""The contents of a rollout, and the values of the observations that followed each step."""

import numpy as np
import pytest
from gymnasium import spaces

from rl.core.experience import Experience
from rl.core.rollout import Rollout

SPACE = spaces.Box(-100, 100, (1,), np.float32)


def step(observations, following, terminated=(0, 0), truncated=(0, 0), reward=1.0):
    column = np.float32([[o] for o in observations]), np.float32([[o] for o in following])
    ends = np.array(terminated, bool), np.array(truncated, bool)
    return Experience(column[0], np.zeros(2, np.int64), np.full(2, reward), column[1], *ends)


def three_steps():
    """Two games of three steps: game 0 is cut off after its second one, game 1 ends with its first."""
    rollout = Rollout(3, 2, SPACE)
    rollout.add(step([0, 10], [1, 19], terminated=(0, 1)))
    rollout.add(step([1, 20], [9, 21], truncated=(1, 0)))
    rollout.add(step([30, 21], [31, 22]))
    return rollout


def test_next_values_are_of_the_real_next_observations():
    rollout = three_steps()
    asked = []

    def estimate(observations):
        asked.append(observations[:, 0].tolist())
        return observations[:, 0] * 100

    values = rollout.observations[:, :, 0] * 100
    found = rollout.next_values(values, estimate)
    assert asked == [[31, 22, 9]]  # after the last step, and where a limit cut
    assert found[:, 0].tolist() == [100, 900, 3100]
    assert found[1:, 1].tolist() == [2100, 2200]  # [0, 1]: the game ended, any number will do


def test_a_new_rollout_forgets_the_cuts_of_the_last():
    rollout = three_steps()
    assert rollout.full
    for _ in range(3):
        rollout.add(step([1, 1], [1, 1]))
    assert rollout.full and not rollout.cut and not rollout.done.any()


def test_done_is_either_way_of_ending():
    rollout = three_steps()
    assert rollout.done.tolist() == [[False, True], [True, False], [False, False]]
    assert rollout.terminated.tolist() == [[False, True], [False, False], [False, False]]


def test_steps_are_kept_by_value():
    rollout, cut = Rollout(2, 2, SPACE), step([0, 0], [0, 0], truncated=(1, 1))
    rollout.add(cut)
    for array in (cut.observations, cut.next_observations):
        array += 7
    rollout.add(cut._replace(truncated=np.zeros(2, bool)))
    assert rollout.observations[0].max() == 0 and rollout.cut[0][2].max() == 0


def test_the_flat_view_runs_through_the_games_of_a_step_first():
    flat = three_steps().flat_observations()
    assert flat[:, 0].tolist() == [0, 10, 1, 20, 30, 21]
    assert Rollout(2, 2, spaces.Box(0, 255, (8, 8, 4), np.uint8)).flat_observations().dtype == np.uint8


def test_values_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(6,\)"):
        three_steps().next_values(np.zeros(6, np.float32), lambda observations: observations)


def test_a_half_filled_rollout_goes_on_where_it_was():
    def estimate(observations):
        return observations[:, 0]

    whole, first = three_steps(), Rollout(3, 2, SPACE)
    first.add(step([0, 10], [1, 19], terminated=(0, 1)))
    first.add(step([1, 20], [9, 21], truncated=(1, 0)))
    second = Rollout(3, 2, SPACE)
    second.set_state(first.get_state())
    second.add(step([30, 21], [31, 22]))
    values = whole.observations[:, :, 0]
    np.testing.assert_array_equal(second.next_values(values, estimate), whole.next_values(values, estimate))
    for name in Rollout.STATE:
        np.testing.assert_array_equal(getattr(second, name), getattr(whole, name))
    with pytest.raises(ValueError, match="saved rollout"):
        Rollout(4, 2, SPACE).set_state(first.get_state())


def test_unfinished_games_are_truncated():
    rollout = Rollout(3, 2, SPACE)
    rollout.add(step([0, 10], [1, 19], terminated=(0, 1)))
    rollout.truncate()
    assert rollout.done[0].all()
    assert [(t, game, float(last[0])) for t, game, last in rollout.cut] == [(0, 0, 1.0)]
