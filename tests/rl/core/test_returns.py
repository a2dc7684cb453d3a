"""Returns, advantages and targets against their definitions, written out one transition at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlite.gradcheck import numerical_gradient
from rl.core.returns import discounted_returns, generalized_advantages, td_loss, td_target


def rollout(rng, steps, games):
    """Rewards, values, next values, terminated, done of T steps of E games; in a game values chain."""
    rewards, values, next_values = rng.normal(size=(3, steps, games))
    terminated = rng.random((steps, games)) < 0.2
    done = terminated | (rng.random((steps, games)) < 0.2)
    running = ~done[:-1]
    next_values[:-1][running] = values[1:][running]
    return rewards, values, next_values, terminated, done


def return_of(t, game, rewards, next_values, terminated, done, gamma):
    """r_t + gamma r_{t+1} + ... to the end of the game, or to where nothing more is known."""
    total, weight = 0.0, 1.0
    for step in range(t, len(rewards)):
        total += weight * rewards[step, game]
        weight *= gamma
        if terminated[step, game]:
            return total
        if done[step, game]:
            return total + weight * next_values[step, game]
    return total + weight * next_values[-1, game]


sizes = dict(
    seed=st.integers(0, 2**32 - 1), steps=st.integers(1, 12), games=st.integers(1, 4), gamma=st.floats(0, 1)
)


@given(**sizes)
def test_returns_are_the_discounted_sum_to_the_end_of_the_game(seed, steps, games, gamma):
    rewards, _, next_values, terminated, done = rollout(np.random.default_rng(seed), steps, games)
    returns = discounted_returns(rewards, terminated, done, next_values, gamma)
    for t, game in np.ndindex(steps, games):
        expected = return_of(t, game, rewards, next_values, terminated, done, gamma)
        assert returns[t, game] == pytest.approx(expected, abs=1e-9)


@given(lam=st.floats(0, 1), **sizes)
def test_advantages_are_the_weighted_sum_of_temporal_differences(seed, steps, games, gamma, lam):
    rewards, values, next_values, terminated, done = rollout(np.random.default_rng(seed), steps, games)
    advantages = generalized_advantages(rewards, values, next_values, terminated, done, gamma, lam)
    for t, game in np.ndindex(steps, games):
        total, weight = 0.0, 1.0
        for step in range(t, steps):
            after = 0.0 if terminated[step, game] else next_values[step, game]
            total += weight * (rewards[step, game] + gamma * after - values[step, game])
            weight *= gamma * lam
            if done[step, game]:
                break
        assert advantages[t, game] == pytest.approx(total, abs=1e-9)


@given(**sizes)
def test_lambda_1_is_the_whole_return_less_the_value(seed, steps, games, gamma):
    rewards, values, next_values, terminated, done = rollout(np.random.default_rng(seed), steps, games)
    advantages = generalized_advantages(rewards, values, next_values, terminated, done, gamma, 1.0)
    returns = discounted_returns(rewards, terminated, done, next_values, gamma)
    np.testing.assert_allclose(advantages, returns - values, atol=1e-9)


def test_a_value_after_an_end_is_never_read():
    nothing, ones, ends = np.full((2, 1), np.nan), np.ones((2, 1)), np.ones((2, 1), bool)
    assert np.isfinite(discounted_returns(ones, ends, ends, nothing, 0.9)).all()
    assert np.isfinite(generalized_advantages(ones, ones, nothing, ends, ends, 0.9, 0.9)).all()


def test_shapes_that_would_broadcast_are_refused():
    rewards, column, none = np.zeros((4, 3)), np.zeros((4, 1)), np.zeros((4, 3), bool)
    for function, *arguments in (
        (discounted_returns, rewards, none, none, column, 0.9),
        (generalized_advantages, rewards, column, rewards, none, none, 0.9, 0.9),
        (td_target, column, np.zeros(4), np.zeros((4, 2))),
        (td_loss, np.zeros((4, 2)), np.zeros(4, np.int64), column),
    ):
        with pytest.raises(ValueError, match=r"\(4, 1\)"):
            function(*arguments)


def test_the_target_takes_the_choosers_action_at_the_judges_value():
    judge, chooser = np.array([[1.0, 5.0], [2.0, 3.0]]), np.array([[9.0, 0.0], [0.0, 9.0]])
    returns, discounts = np.array([0.5, 1.0]), np.array([0.9, 0.0])
    np.testing.assert_allclose(td_target(returns, discounts, judge), [0.5 + 0.9 * 5, 1.0])
    np.testing.assert_allclose(td_target(returns, discounts, judge, chooser), [0.5 + 0.9 * 1, 1.0])


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 6), delta=st.sampled_from([0.3, 1.0, np.inf]))
def test_the_gradient_of_the_loss_is_its_derivative(seed, rows, delta):
    rng = np.random.default_rng(seed)
    q, actions, targets = rng.normal(size=(rows, 3)), rng.integers(0, 3, rows), rng.normal(size=rows)
    _, dq = td_loss(q, actions, targets, delta)
    slope = numerical_gradient(lambda: td_loss(q, actions, targets, delta)[0], q, step=1e-6)
    np.testing.assert_allclose(dq, slope, atol=1e-6)
