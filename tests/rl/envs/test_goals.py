"""Goals: what counts as solved, what scores how much, and where an environment's goal comes from."""

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv

from rl.core.observer import make_observed
from rl.envs import action_names, goal_of, make_vector
from rl.envs.goals import MeanReturn, Misses, Outcome


def outcome(returns=(29.0,) * 20, gains=580, losses=0, terminated=0, complete=True):
    return Outcome(np.array(returns), gains, losses, terminated, complete)


def test_catcher_is_solved_only_at_the_time_limit_with_few_misses():
    goal = Misses(2)
    assert goal.is_solved(outcome(losses=2))
    assert not goal.is_solved(outcome(losses=3))
    assert not goal.is_solved(outcome(terminated=1))
    assert not goal.is_solved(outcome(complete=False))
    assert not goal.is_hopeless(2) and goal.is_hopeless(3)


def test_catchers_score_is_the_share_of_fruits_caught():
    assert Misses(2).score(outcome(gains=29, losses=1)) == 29 / 30
    assert Misses(2).score(outcome(gains=0, losses=0)) == 0
    assert Misses(2).describe(outcome(gains=29, losses=1)) == "29 caught, 1 missed"


def test_a_mean_return_is_solved_at_its_threshold():
    goal = MeanReturn(195.0)
    assert goal.text == "mean return >= 195" and not goal.is_hopeless(10**6)
    assert goal.is_solved(outcome([190.0, 200.0])) and not goal.is_solved(outcome([189.0, 200.0]))
    assert not goal.is_solved(outcome([200.0], complete=False))
    assert goal.score(outcome([190.0, 200.0])) == 195.0 and goal.score(outcome([])) == -np.inf
    assert goal.describe(outcome([1.0, 2.0])) == "2 games"


def test_without_a_threshold_no_return_solves():
    assert MeanReturn().text == "best mean return" and not MeanReturn().is_solved(outcome([1e9]))


@pytest.mark.parametrize(
    ("env_id", "threshold", "names"),
    [
        ("Acrobot-v1", -100.0, ("left", "none", "right")),
        ("MountainCar-v0", -110.0, ("left", "none", "right")),
        ("FrozenLake-v1", 0.7, ("left", "down", "right", "up")),
        ("Blackjack-v1", None, ("0", "1")),
    ],
)
def test_gymnasiums_environments_have_its_threshold_and_names_from_our_table(env_id, threshold, names):
    envs = make_vector(env_id, 2)
    assert goal_of(envs) == MeanReturn(threshold) and action_names(envs) == names
    assert action_names(gymnasium.make(env_id)) == names


def test_goal_and_names_are_read_through_the_observers():
    for env_id in ("rl/Catcher-v0", "FrozenLake-v1", "CartPole-v0"):
        observed, bare = make_observed(env_id, 1), make_vector(env_id, 1)
        assert goal_of(observed) == goal_of(bare) and action_names(observed) == action_names(bare)


def test_an_environment_of_ones_own_states_both():
    class Own(gymnasium.Env):
        metadata = {"goal": Misses(0), "action_names": ("wait", "run")}
        observation_space = gymnasium.spaces.Discrete(1)
        action_space = gymnasium.spaces.Discrete(2)

    envs = SyncVectorEnv([Own])
    assert goal_of(envs) == Misses(0) and action_names(envs) == ("wait", "run")
    Own.metadata = {"action_names": ("wait",)}  # one too few
    assert goal_of(SyncVectorEnv([Own])) == MeanReturn() and action_names(Own()) == ("0", "1")


def test_meanings_that_an_environment_gives_come_first():
    class Atari(gymnasium.Env):
        observation_space = gymnasium.spaces.Discrete(1)
        action_space = gymnasium.spaces.Discrete(2)

        def get_action_meanings(self):
            return ["NOOP", "FIRE"]

    assert action_names(Atari()) == action_names(SyncVectorEnv([Atari])) == ("noop", "fire")
