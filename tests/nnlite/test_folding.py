"""A model without its BatchNormalization predicts the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlite import Sequential, layers
from nnlite.models import fold_batch_normalization
from tests.examples import examples

KINDS = ["conv", "dense", "norm", "norm", "leaky", "block"]
names = st.sampled_from(["linear", "linear", "relu", "gelu"])


@st.composite
def stacks(draw, channels, depth=1):
    """Layers from (5, 4, channels) to (5, 4, channels)."""
    found = []
    for kind in draw(st.lists(st.sampled_from(KINDS), max_size=5)):
        flags = {"use_bias": draw(st.booleans()), "activation": draw(names)}
        if kind == "conv":
            found.append(layers.Conv2D(channels, 3, padding="same", kernel_regularizer="l2", **flags))
        elif kind == "dense":
            found.append(layers.Dense(channels, **flags))
        elif kind == "norm":
            found.append(layers.BatchNormalization(center=draw(st.booleans()), scale=draw(st.booleans())))
        elif kind == "leaky":
            found.append(layers.LeakyReLU())
        elif depth:
            found.append(layers.Residual([layers.Dense(channels), *draw(stacks(channels, depth - 1))]))
    return found


def scrambled(model, seed=0):
    rng = np.random.default_rng(seed)
    model.params[...] = rng.normal(0, 0.5, model.params.shape)
    for layer in model.walk():
        if isinstance(layer, layers.BatchNormalization):
            layer.moving_mean.value[...] = rng.normal(0, 1, layer.moving_mean.shape)
            layer.moving_variance.value[...] = rng.uniform(0.1, 3, layer.moving_variance.shape)
    return model


def affine(layer):
    return type(layer) in (layers.Conv2D, layers.Dense) and layer.activation.name == "linear"


def foldable(chain):
    """How many layers of a chain can be folded into the one before."""
    norms = [isinstance(layer, layers.BatchNormalization) for layer in chain]
    own = sum(norm and affine(before) for before, norm in zip(chain, norms[1:]))
    return own + sum(foldable(layer.layers) for layer in chain if isinstance(layer, layers.Residual))


@examples(150)
@given(data=st.data(), channels=st.integers(1, 3), seed=st.integers(0, 99))
def test_it_predicts_the_same_without_what_can_be_folded(data, channels, seed):
    stack = [layers.Rescaling(0.5), *data.draw(stacks(channels)), layers.Flatten(), layers.Dense(2)]
    model = scrambled(Sequential(stack, seed=0, dtype="float64").build((5, 4, channels)), seed)
    x = np.random.default_rng(seed).standard_normal((3, 5, 4, channels))
    before, y = model.params.copy(), model.predict(x)
    folded = fold_batch_normalization(model)
    assert len(list(folded.walk())) == len(list(model.walk())) - foldable(model.layers)
    np.testing.assert_allclose(folded.predict(x), y, rtol=0, atol=1e-12 * max(1, np.abs(y).max()))
    assert (model.params == before).all() and not np.shares_memory(folded.params, model.params)


def test_a_small_network_without_its_normalization_runs_in_compiled_passes():
    stack = [layers.Dense(4, input_shape=(3,)), layers.BatchNormalization(), layers.Activation("relu")]
    model = scrambled(Sequential([*stack, layers.Dense(2)], seed=0).build())
    folded = fold_batch_normalization(model)
    assert [type(layer) for layer in folded.layers] == [layers.Dense, layers.Activation, layers.Dense]
    assert type(folded._passes).__name__ == "CompiledNetwork" != type(model._passes).__name__
    x = np.random.default_rng(0).standard_normal((6, 3))
    np.testing.assert_allclose(folded.predict(x), model.predict(x), rtol=1e-5, atol=1e-6)
    assert folded.name == model.name and folded.dtype == model.dtype


@pytest.mark.parametrize("between", [layers.LeakyReLU, layers.Flatten, lambda: layers.Dropout(0.5)])
def test_only_a_direct_neighbour_is_folded(between):
    stack = [layers.Dense(4, input_shape=(3,)), between(), layers.BatchNormalization()]
    assert len(fold_batch_normalization(Sequential(stack)).layers) == 3


def test_of_two_normalizations_the_second_stays():
    stack = [layers.Dense(4, input_shape=(3,)), layers.BatchNormalization(), layers.BatchNormalization()]
    model = scrambled(Sequential(stack, seed=0, dtype="float64").build())
    folded = fold_batch_normalization(model)
    assert len(folded.layers) == 2
    np.testing.assert_allclose(folded.predict(np.eye(3)), model.predict(np.eye(3)), rtol=1e-12)
