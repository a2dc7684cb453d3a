"""Choosing actions and the losses of a policy, against their NumPy twins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nnlite_ext import _policy

from nnlite.reference import policy as reference
from tests.ext.otherwise import hands_on, refuse

cases = {
    "seed": st.integers(0, 2**32 - 1),
    "rows": st.integers(1, 70),
    "actions": st.integers(1, 5),
    "dtype": st.sampled_from([np.float32, np.float64]),
}


@given(**cases, epsilon=st.sampled_from([0.0, 0.3, 1.0]))
def test_choosing_is_its_twin_and_draws_the_same_numbers(seed, rows, actions, dtype, epsilon):
    values = np.random.default_rng(seed).integers(-2, 3, (rows, actions + 1)).astype(dtype)  # with ties
    one, other = np.random.default_rng(seed), np.random.default_rng(seed)
    np.testing.assert_array_equal(
        _policy.epsilon_greedy(values, epsilon, one, refuse), reference.epsilon_greedy(values, epsilon, other)
    )
    assert one.bit_generator.state == other.bit_generator.state
    np.testing.assert_array_equal(
        _policy.sample_actions(values, one, actions, refuse), reference.sample_actions(values, other, actions)
    )
    assert one.bit_generator.state == other.bit_generator.state


@given(**cases, weight=st.sampled_from([0.0, 0.3]))
def test_losses_are_their_twins(seed, rows, actions, dtype, weight):
    rng = np.random.default_rng(seed)
    shapes = (rows, actions + 1), rows, rows
    output, advantages, returns = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    taken, exact = rng.integers(0, actions, rows), 2e-5 if dtype is np.float32 else 1e-12
    logits = np.ascontiguousarray(output[:, :-1])
    for name, *arguments in (
        ("actor_critic_loss", output, taken, advantages, returns, weight, 0.5),
        ("policy_loss", logits, taken, advantages, weight),
    ):
        results = getattr(_policy, name)(*arguments, refuse)
        for ours, twins in zip(results, getattr(reference, name)(*arguments), strict=True):
            np.testing.assert_allclose(ours, twins, rtol=exact, atol=exact)
            assert np.asarray(ours).dtype == np.asarray(twins).dtype


@given(**cases)
def test_probabilities_are_no_logits(seed, rows, actions, dtype):
    rng = np.random.default_rng(seed)
    output = rng.standard_normal((rows + 1, actions + 2)).astype(dtype)
    taken, numbers = np.zeros(rows + 1, np.int64), np.zeros(rows + 1, dtype)
    arguments = taken, numbers, numbers, 0.1, 0.5
    _policy.actor_critic_loss(output, *arguments, refuse)
    output[:, :-1] = np.exp(reference.log_softmax(output[:, :-1]))
    assert hands_on(_policy.actor_critic_loss, output, *arguments)
    with pytest.raises(ValueError, match="give the logits"):
        reference.actor_critic_loss(output, *arguments)
    output[-1, 0] += dtype(0.001)  # one row that is no distribution clears all
    _policy.actor_critic_loss(output, *arguments, refuse)
    reference.actor_critic_loss(output, *arguments)


@pytest.mark.parametrize("z", [np.eye(3), np.full((4, 2), 0.5), np.ones((4, 1)), [[0.2, 0.8]]])
def test_logits_that_sum_to_one_by_chance_are_logits(z):
    z = np.asarray(z, np.float64)
    arguments = np.zeros(len(z), np.int64), np.ones(len(z)), 0.0
    for ours, twins in zip(_policy.policy_loss(z, *arguments, refuse), reference.policy_loss(z, *arguments)):
        np.testing.assert_allclose(ours, twins, atol=1e-12)


def test_what_does_not_fit_is_handed_on():
    z, actions, numbers = np.zeros((4, 3)), np.zeros(4, np.int64), np.zeros(4)
    assert hands_on(_policy.epsilon_greedy, z.T, 0.1, None)
    assert hands_on(_policy.sample_actions, z, None, 4)
    assert hands_on(_policy.policy_loss, z, actions + 3, numbers, 0.1)
    assert hands_on(_policy.actor_critic_loss, z, actions + 2, numbers, numbers, 0.1, 0.5)
