"""Standardised observations, and the network that no longer needs them to be."""

import numpy as np
import pytest
from gymnasium import spaces

from nnlite import Sequential
from nnlite.layers import Dense, Flatten
from rl.core.networks import make_network
from rl.core.scaler import Scaler


def fitted(rng):
    data = rng.normal([5, -3, 0], [0.1, 20, 1], (500, 3)).astype(np.float32)
    scaler = Scaler()
    scaler.fit(data)
    return scaler, data


def test_each_feature_gets_mean_0_and_deviation_1():
    scaler, data = fitted(np.random.default_rng(0))
    np.testing.assert_allclose(scaler(data).mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(scaler(data).std(axis=0), 1, atol=1e-4)
    assert scaler(data).dtype == np.float32


def test_a_feature_that_never_varies_is_only_centred():
    scaler = Scaler()
    scaler.fit(np.full((10, 1), 3, np.float32))
    np.testing.assert_array_equal(scaler(np.float32([[3], [4]])), [[0], [1]])


def test_screens_and_everything_before_fit_pass_unchanged():
    scaler, screens = Scaler(), np.zeros((2, 8, 8, 4), np.uint8)
    scaler.fit(screens)
    assert scaler(screens) is screens and not scaler.fitted


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
    scaler.reset()
    assert scaler(data) is data and other.fitted
