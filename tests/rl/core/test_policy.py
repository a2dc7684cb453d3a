"""Drawing from a policy and the loss that improves it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlite.gradcheck import numerical_gradient
from rl.core.policy import epsilon_greedy, explained_variance, policy_loss, probabilities, sample_actions


def test_without_epsilon_nothing_is_drawn():
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    np.testing.assert_array_equal(epsilon_greedy(np.array([[0.0, 1.0], [2.0, 1.0]]), 0.0, rng), [1, 0])
    assert rng.bit_generator.state == before


def test_epsilon_is_the_share_of_uniform_actions():
    values = np.tile(np.array([0, 0, 9, 0], np.float32), (40_000, 1))
    shares = np.bincount(epsilon_greedy(values, 0.4, np.random.default_rng(0)), minlength=4) / 40_000
    np.testing.assert_allclose(shares, [0.1, 0.1, 0.7, 0.1], atol=0.01)


def test_an_action_that_is_none_is_refused():
    with pytest.raises(IndexError):
        policy_loss(np.zeros((2, 2), np.float32), np.array([0, 2]), np.zeros(2, np.float32))


def test_actions_are_drawn_as_often_as_the_softmax_says():
    logits = np.array([[0.0, 1.0, -2.0]], np.float32)
    drawn = sample_actions(np.repeat(logits, 40_000, axis=0), np.random.default_rng(0))
    shares = np.bincount(drawn, minlength=3) / len(drawn)  # 0.01 is five standard errors
    np.testing.assert_allclose(shares, probabilities(logits)[0], atol=0.01)
    assert drawn.dtype == np.int64


def test_logits_as_large_as_they_come_are_drawn_from():
    logits = np.array([[1e4, -1e4], [-1e4, 1e4]], np.float32)
    np.testing.assert_array_equal(sample_actions(logits, np.random.default_rng(0)), [0, 1])
    assert np.isfinite(policy_loss(logits, np.array([1, 1]), np.ones(2), 0.1)[2]).all()


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 6), weight=st.sampled_from([0.0, 0.3]))
def test_the_gradient_is_the_derivative_of_loss_less_entropy(seed, rows, weight):
    rng = np.random.default_rng(seed)
    logits, actions, advantages = rng.normal(size=(rows, 3)), rng.integers(0, 3, rows), rng.normal(size=rows)

    def objective():
        loss, entropy, _ = policy_loss(logits, actions, advantages, weight)
        return loss - weight * entropy

    _, _, dlogits = policy_loss(logits, actions, advantages, weight)
    np.testing.assert_allclose(dlogits, numerical_gradient(objective, logits), atol=1e-7)


def test_good_actions_become_likelier_and_bad_ones_less_likely():
    logits, actions, advantages = np.zeros((2, 2)), np.array([0, 0]), np.array([1.0, -1.0])
    loss, entropy, dlogits = policy_loss(logits, actions, advantages)
    assert loss == pytest.approx(0) and entropy == pytest.approx(np.log(2))
    # descent raises the first, lowers the second
    np.testing.assert_allclose(dlogits, [[-0.25, 0.25], [0.25, -0.25]])


def test_an_advantage_for_each_row_and_no_other_shape():
    with pytest.raises(ValueError, match=r"\(4, 1\)"):
        policy_loss(np.zeros((4, 2)), np.zeros(4, int), np.zeros((4, 1)))
    with pytest.raises(ValueError, match="same shape"):
        explained_variance(np.zeros(4), np.zeros((4, 1)))


def test_explained_variance_tells_prediction_from_guess():
    returns = np.array([1.0, 2.0, 3.0])
    assert explained_variance(returns + 5, returns) == pytest.approx(1)
    assert explained_variance(np.zeros(3), returns) == pytest.approx(0)
    assert explained_variance(-returns, returns) < 0
    assert explained_variance(returns, np.ones(3)) == 0
