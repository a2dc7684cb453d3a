"""Standardised observations, and the network that no longer needs them to be."""

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

from nnlite import Sequential
from nnlite.layers import Dense, Flatten
from rl.core.networks import make_network
from rl.core.scaler import Moments, RewardScaler, Scaler


def fitted(rng):
    data = rng.normal([5, -3, 0], [0.1, 20, 1], (500, 3)).astype(np.float32)
    scaler = Scaler()
    scaler.update(data)
    return scaler, data


def test_each_feature_gets_mean_0_and_deviation_1():
    scaler, data = fitted(np.random.default_rng(0))
    np.testing.assert_allclose(scaler(data).mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(scaler(data).std(axis=0), 1, atol=1e-4)
    assert scaler(data).dtype == np.float32


def test_a_feature_that_never_varies_is_only_centred():
    scaler = Scaler()
    scaler.update(np.full((10, 1), 3, np.float32))
    np.testing.assert_array_equal(scaler(np.float32([[3], [4]])), [[0], [1]])


def test_everything_before_update_passes_unchanged_and_all_of_it_where_it_is_not_active():
    rows = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    assert Scaler()(rows) is rows
    off = Scaler(active=False)
    off.update(rows)
    assert off(rows) is rows and not off.fitted


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 99))
def test_moments_of_parts_are_those_of_the_whole(sizes, seed):
    rng, moments = np.random.default_rng(seed), Moments()
    parts = [rng.normal(3, 2, (size, 2)) for size in sizes]
    for part in parts:
        moments.update(part)
    whole = np.concatenate(parts)
    assert moments.count == len(whole)
    np.testing.assert_allclose(moments.mean, whole.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(moments.variance, whole.var(axis=0), rtol=1e-9, atol=1e-12)


def test_rewards_are_divided_by_the_deviation_of_discounted_returns_which_begin_again_after_an_end():
    scaler, returns, seen = RewardScaler(2, 0.5), np.zeros(2), []
    steps = [([1, 2], [0, 0]), ([3, -1], [1, 0]), ([1, 500], [0, 0])]
    for rewards, done in steps:
        returns = 0.5 * returns + rewards
        seen += returns.tolist()
        scaled = scaler(np.array(rewards, float), np.array(done, bool))
        np.testing.assert_allclose(scaled, np.clip(rewards / np.sqrt(np.var(seen) + 1e-8), -10, 10))
        returns = np.where(done, 0, returns)
    assert returns[0] == 1
    np.testing.assert_array_equal(RewardScaler(2, 0.5)(np.full(2, 7.0), np.zeros(2, bool)), [10, 10])


def test_the_folded_network_reads_what_the_scaler_read():
    rng = np.random.default_rng(1)
    scaler, data = fitted(rng)
    model = make_network(spaces.Box(-100, 100, (3,), np.float32), 2, (10, 10), rng)
    weights = model.params.copy()
    folded = scaler.fold_into(model)
    np.testing.assert_allclose(folded.predict(data), model.predict(scaler(data)), rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(model.params, weights)  # the one that goes on learning is untouched
    assert Scaler().fold_into(model) is model


def test_only_a_dense_layer_takes_a_scaler_in():
    scaler, _ = fitted(np.random.default_rng(0))
    with pytest.raises(ValueError, match="flatten"):
        scaler.fold_into(Sequential([Flatten(), Dense(2)], seed=0).build((3,)))


def test_its_state_is_its_numbers():
    scaler, data = fitted(np.random.default_rng(0))
    other = Scaler()
    other.set_state(scaler.get_state())
    np.testing.assert_array_equal(other(data), scaler(data))
    scaler.stop()
    scaler.update(data)
    assert scaler(data) is data and other.fitted
