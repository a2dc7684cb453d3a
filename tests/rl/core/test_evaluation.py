"""Evaluation: which games count, in which order, on which seeds, and when it stops."""

from dataclasses import asdict

import numpy as np
import pytest

from rl.core.evaluation import Evaluation, Evaluator
from rl.envs.goals import MeanReturn, Misses
from tests.rl.games import Game, vector_of


class Lengthy(Game):
    """Game k of environment i lasts 3 + i + 10 k steps; each pays `reward`, the last of odd i is cut off."""

    def __init__(self, index=0, reward=1.0, cut=None):
        self.index, self.reward, self.game = index, reward, -1
        self.cut = bool(index % 2) if cut is None else cut

    def reset(self, *, seed=None, options=None):
        self.game = 0 if seed is not None else self.game + 1
        self.length = 3 + self.index + 10 * self.game
        return super().reset(seed=seed)

    def pay(self, action):
        return self.reward


class Idle:
    steps = 70

    def greedy(self, observations):
        return np.zeros(len(observations), np.int64)


def games(count, **kwargs):
    return vector_of(*(lambda i=i: Lengthy(i, **kwargs) for i in range(count)))


@pytest.mark.parametrize(
    ("count", "lengths"),
    [(4, [3, 4, 5, 6]), (2, [3, 13, 23, 4, 14]), (1, [3, 13, 23]), (3, [3, 13, 4, 5]), (5, [3, 4])],
)
def test_the_episodes_are_spread_over_the_games_and_told_in_their_order(count, lengths):
    episodes = len(lengths)
    result = Evaluator(games(count), episodes, MeanReturn(), seed=0)(Idle())
    assert result.lengths.tolist() == lengths and result.lengths.dtype == np.int64
    assert result.returns.tolist() == lengths and result.returns.dtype == np.float64
    assert result.complete and result.text == f"{episodes} games"
    assert (result.mean, result.std) == (np.mean(lengths), np.std(lengths)) and result.score == result.mean


def test_steps_of_games_that_do_not_count_are_left_out():
    result = Evaluator(games(5, reward=-1.0, cut=True), 2, Misses(7), seed=0)(Idle())
    assert result.text == "0 caught, 7 missed" and result.solved


def test_a_game_that_terminates_keeps_misses_unsolved():
    assert Evaluator(games(2, cut=True), 2, Misses(0), seed=0)(Idle()).solved
    assert not Evaluator(games(2, cut=False), 2, Misses(0), seed=0)(Idle()).solved


def test_a_hopeless_evaluation_stops_early():
    result = Evaluator(games(3, reward=-1.0), 3, Misses(2), seed=0)(Idle())
    assert not result.complete and not result.solved and result.text == "0 caught, 3 missed"
    assert len(result.returns) == 0 and np.isnan(result.mean) and np.isnan(result.std)
    later = Evaluator(games(3, reward=-1.0), 3, Misses(8), seed=0)(Idle())
    assert not later.complete and later.lengths.tolist() == [3] and later.returns.tolist() == [-3.0]


def test_each_call_has_a_new_seed():
    seeds, envs = [], games(2)
    reset = envs.reset
    envs.reset = lambda seed=None, options=None: seeds.append(seed) or reset(seed=seed, options=options)
    evaluator = Evaluator(envs, 2, MeanReturn(), seed=10)
    assert evaluator(Idle()).returns.tolist() == evaluator(Idle()).returns.tolist() == [3.0, 4.0]
    assert seeds == [10, 11] and evaluator.calls == 2


def test_an_evaluation_is_rebuilt_from_its_fields():
    one = Evaluator(games(2), 2, MeanReturn(1.0), seed=0)(Idle())
    other = Evaluation(**asdict(one))
    assert asdict(other).keys() == asdict(one).keys() and other.solved and other.text == "2 games"
    np.testing.assert_array_equal(other.returns, one.returns)


@pytest.mark.parametrize("reward", [np.nan, np.inf])
def test_a_return_that_is_no_number_stops_the_evaluation(reward):
    with pytest.raises(FloatingPointError, match="the return of game 0 is .* after environment step 70"):
        Evaluator(games(2, reward=reward), 2, MeanReturn(), seed=0)(Idle())
