"""Residual: its layers' weights, states, seeds and flags count as those of any other layer."""

import numpy as np
import pytest

import nnlite as K
from nnlite.gradcheck import layer_errors
from nnlite.models import load_model
from tests.nnlite.samples import data


def block(channels=2, **arguments):
    inner = [
        K.layers.Dense(channels, "gelu"),
        K.layers.BatchNormalization(epsilon=0.1),
        K.layers.Dropout(0.4),
    ]
    nested = K.layers.Residual([K.layers.Dense(channels, kernel_regularizer="l2")])
    return K.layers.Residual([*inner, nested], **arguments)


def model_of(*stack, seed=0, **settings):
    return K.Sequential(stack, seed=seed, **settings).build((6, 6, 2))


def network(**arguments):
    return model_of(block(**arguments), K.layers.Flatten(), K.layers.Dense(3, "softmax"))


def trained(model, steps=3):
    model.compile("adam", "categorical_crossentropy")
    for step in range(steps):
        model.train_on_batch(*data(seed=step))
    return model


def test_it_adds_what_its_layers_compute():
    model = model_of(K.layers.Residual([K.layers.Dense(2, kernel_initializer="ones")]))
    x, _ = data()
    np.testing.assert_allclose(model.predict(x), x + x.sum(axis=-1, keepdims=True), rtol=1e-5, atol=1e-6)


def test_its_backward_adds_the_way_around():
    errors = layer_errors(block(), (3, 4, 2))
    assert max(errors.values()) <= 1e-7, errors


def test_the_weights_inside_lie_in_the_models_arrays():
    model = network()
    names = [weight.name for weight in model.layers[0].weights]
    norm = [f"batch_normalization/{name}" for name in ("gamma", "beta", "moving_mean", "moving_variance")]
    assert names == ["dense/kernel", "dense/bias", *norm, "residual/dense/kernel", "residual/dense/bias"]
    for weight in model.layers[0].weights:
        assert np.shares_memory(weight.value, model.params if weight.trainable else model.state)
    assert model.layers[0].count_params() == 6 + 8 + 6 and model.state.size == 4
    shapes = [value.shape for value in model.layers[0].get_weights()]
    assert shapes == [(2, 2), (2,), (2,), (2,), (2,), (2,), (2, 2), (2,)]


def test_a_seed_is_a_seed_and_each_layer_draws_its_own_numbers():
    assert trained(network()).params.tobytes() == trained(network()).params.tobytes()
    two = K.layers.Residual([K.layers.Dropout(0.5), K.layers.Activation(), K.layers.Dropout(0.5)])
    model_of(two)
    first, _, second = two.layers
    assert first.rng is not second.rng and (first.rng.random(9) != second.rng.random(9)).all()


def test_training_moves_the_statistics_inside():
    model = trained(network())
    _, norm, _, _ = model.layers[0].layers
    assert (norm.moving_mean.value != 0).any() and (norm.moving_variance.value != 1).any()


def test_save_load_and_clone(tmp_path):
    model, x = trained(network()), data()[0]
    model.save(tmp_path / "m.safetensors", include_optimizer=True)
    again, other = load_model(tmp_path / "m.safetensors"), K.clone_model(model, seed=5)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert again.get_config() == other.get_config() == model.get_config()
    other.copy_from(model)
    np.testing.assert_array_equal(other.predict(x), model.predict(x))


def changed(model):
    """The names of the first layer's weights that three steps change."""
    before = model.layers[0].get_weights()
    trained(model)
    pairs = zip(model.layers[0].weights, before)
    return {weight.name for weight, old in pairs if (weight.value != old).any()}


def test_trainable_of_the_block_and_of_its_layers_both_count(capsys):
    everything = changed(network())
    assert len(everything) == 8
    model = network()
    model.layers[0].layers[0].trainable = False
    assert changed(model) == everything - {"dense/kernel", "dense/bias"}
    model.summary()
    assert "Non-trainable params: 10" in capsys.readouterr().out  # the kernel, the bias, two statistics
    model.layers[0].trainable = False
    assert changed(model) == set() and not any(layer.trainable for layer in model.layers[0].walk())
    model.layers[0].trainable = True
    assert changed(model) == everything
    assert changed(network(trainable=False)) == set()


def test_trainable_survives_a_config():
    model = network(trainable=False)
    assert changed(K.clone_model(model)) == set()
    model = network()
    model.layers[0].layers[3].trainable = False
    frozen = {"residual/dense/kernel", "residual/dense/bias"}
    assert not changed(K.clone_model(model)) & frozen
    assert model.penalty() == 0 and network().penalty() > 0  # a frozen weight is not penalised


def test_an_inner_activation_may_be_set_later():
    model, (x, _) = model_of(K.layers.Residual([K.layers.Dense(2)])), data()
    before = model.predict(x)
    model.layers[0].layers[0].activation = "relu"
    np.testing.assert_allclose(model.predict(x), x + np.maximum(before - x, 0), rtol=1e-4, atol=1e-6)


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"residual adds f\(x\) to x.* \(6, 6, 2\); they return \(6, 6, 3\)"):
        model_of(K.layers.Residual([K.layers.Dense(3)]))


def test_a_layer_stands_in_one_place():
    layer = K.layers.Dense(2)
    K.layers.Residual([layer])
    with pytest.raises(ValueError, match="dense already belongs to a model"):
        K.Sequential([layer])
    with pytest.raises(ValueError, match="already belongs"):
        K.layers.Residual([layer])
    twice = K.layers.Dense(2)
    with pytest.raises(ValueError, match="already belongs"):
        K.layers.Residual([twice, twice])
    with pytest.raises(TypeError, match="holds layers, not str"):
        K.layers.Residual(["dense"])


def test_two_weights_of_one_name_are_refused():
    stack = [K.layers.Residual([K.layers.Dense(2)]), K.layers.Dense(2, name="residual/dense")]
    with pytest.raises(ValueError, match="two weights are called residual/dense/bias"):
        model_of(*stack)


def test_an_unknown_class_inside_is_refused():
    with pytest.raises(ValueError, match="unknown layer class 'Evil'"):
        K.layers.Residual([{"class": "Evil", "config": {}}])
