"""Sequential: the flat arrays and their views, copying, building, the checks of training."""

import builtins
import copy
import pickle

import numpy as np
import pytest

from nnlite import layers, optimizers
from nnlite.models import Sequential, clone_model, load_model
from nnlite.saving import load_tensors, model_tensors
from tests.nnlite.samples import data, everything, small
from tests.tables import rows

both = pytest.mark.parametrize("make", [everything, small])


def views(model):
    """Yield every array that a layer computes with, and the flat array that it must be a view of."""
    for layer in model.layers:
        for weight in layer.weights:
            yield weight.value, model.params if weight.trainable else model.state
            if weight.trainable:
                yield weight.gradient, model.grads
        for name in ("W", "b", "dW", "db"):
            if hasattr(layer, name):
                yield getattr(layer, name), model.grads if "d" in name else model.params


def train(model, make=None, path=None):
    model.compile("adam", "categorical_crossentropy")
    model.fit(*data(), epochs=2, verbose=0)


def save_and_fill(model, make, path):
    make(seed=5).save(path)
    load_tensors(model, {name: value.copy() for name, value in model_tensors(load_model(path)).items()})


CHANGES = {
    "train": train,
    "copy_from": lambda model, make, path: model.copy_from(make(seed=1)),
    "move_towards": lambda model, make, path: model.copy_from(make(seed=1), tau=0.1),
    "set_weights": lambda model, make, path: model.set_weights(make(seed=2).get_weights()),
    "layer_set_weights": lambda model, make, path: model.layers[-1].set_weights(
        make(seed=2).get_weights()[-2:]
    ),
    "load": save_and_fill,
}


@both
@pytest.mark.parametrize("change", CHANGES)
def test_flat_arrays_are_never_rebound_and_layers_hold_views_of_them(make, change, tmp_path):
    model = make()
    flat = [model.params, model.grads, model.state]
    before = model.params.copy()
    CHANGES[change](model, make, tmp_path / "m.safetensors")
    assert not np.array_equal(before, model.params)  # the change did happen
    assert all(was is now for was, now in zip(flat, [model.params, model.grads, model.state]))
    for view, whole in views(model):
        assert np.shares_memory(view, whole)
    x = data(3)[0]
    y = model.predict(x)
    # a change of what the layer holds is a change of the flat array and of what is computed
    model.layers[-1].W[:, 0] += 1
    assert np.array_equal(model.get_weights()[-2], model.layers[-1].W)
    assert not np.array_equal(y, model.predict(x))


def test_a_loaded_model_has_views_too(tmp_path):
    everything().save(tmp_path / "m.safetensors")
    assert all(np.shares_memory(view, whole) for view, whole in views(load_model(tmp_path / "m.safetensors")))


def test_every_weight_has_its_own_place():
    model = everything()
    weights = [weight for layer in model.layers for weight in layer.weights]
    assert sum(weight.size for weight in weights) == model.params.size + model.state.size
    model.params[:] = np.arange(model.params.size)
    values = np.concatenate([weight.value.ravel() for weight in weights if weight.trainable])
    assert values.tolist() == list(range(model.params.size))


# --- copying


def test_copy_from_carries_params_and_state():
    trained, other = everything(), everything(seed=3)
    train(trained)
    assert not np.array_equal(trained.state, other.state)
    other.copy_from(trained)
    assert np.array_equal(trained.params, other.params) and np.array_equal(trained.state, other.state)
    x = data(5)[0]
    assert np.array_equal(trained.predict(x), other.predict(x))
    trained.params += 1
    assert not np.array_equal(trained.params, other.params)  # a copy, no alias


def test_copy_from_moves_by_tau():
    mine, other = everything(), everything(seed=3)
    expected = mine.params + np.float32(0.25) * (other.params - mine.params)
    mine.copy_from(other, tau=0.25)
    np.testing.assert_allclose(mine.params, expected, rtol=1e-6)
    with pytest.raises(ValueError, match="tau"):
        mine.copy_from(other, tau=1.5)


def test_copy_from_a_model_of_other_shapes_is_refused_even_when_the_number_of_weights_agrees():
    def of(*units):
        return Sequential([layers.Dense(n, use_bias=False) for n in units]).build((4,))

    assert of(2, 4).params.size == of(1, 12).params.size
    with pytest.raises(ValueError, match="cannot be copied"):
        of(2, 4).copy_from(of(1, 12))


def test_clone_has_the_architecture_and_other_weights():
    model = everything()
    clone = clone_model(model, seed=9)
    assert clone.get_config() == model.get_config() and not np.array_equal(clone.params, model.params)
    assert not np.shares_memory(clone.params, model.params)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_copy_that_would_tear_views_from_arrays_is_refused(duplicate):
    with pytest.raises(TypeError, match="clone_model"):
        duplicate(everything())


# --- building


def test_one_seed_one_model():
    assert np.array_equal(everything(7).params, everything(7).params)
    assert not np.array_equal(everything(7).params, everything(8).params)


def test_a_layer_more_does_not_change_the_draw_of_those_before_it():
    short = Sequential([layers.Dense(3, input_shape=(2,))], seed=1)
    long = Sequential([layers.Dense(3, input_shape=(2,)), layers.Dense(1)], seed=1)
    assert np.array_equal(short.get_weights()[0], long.get_weights()[0])


def test_the_first_data_build_a_model_without_input_shape():
    model = Sequential([layers.Dense(3)])
    assert model.predict(np.ones((2, 5))).shape == (2, 3) and model.input_shape == (5,)


def test_building_twice():
    model = everything()
    params = model.params
    assert model.build() is model and model.build((6, 6, 2)).params is params
    with pytest.raises(ValueError, match=r"built for inputs \(6, 6, 2\), not \(5, 6, 2\)"):
        model.build((5, 6, 2))


def test_names_are_kept_apart():
    model = Sequential([dense((1,)), dense(), layers.Dense(1, name="dense"), dense()])
    assert [layer.name for layer in model.layers] == ["dense", "dense_1", "dense_2", "dense_3"]


REFUSED = rows(r"""
    Sequential([3])                               TypeError     needs a layer, not int
    Sequential([]).build()                        ValueError    at least one layer
    Sequential([dense()]).build()                 ValueError    input_shape=
    everything().add(dense())                     RuntimeError  takes no more layers
    Sequential([dense()], dtype="float16")        ValueError    float32 or float64
    Sequential([dense((2,))]).predict([[1, 1, 1]])  ValueError    \(2,\).*\(3,\)
    Sequential([everything().layers[0]])          ValueError    already belongs
    Sequential([dense((2,))]).fit([[1, 2]], [1])  RuntimeError  compile the model first
""")


def dense(shape=None):
    return layers.Dense(1, input_shape=shape)


@pytest.mark.parametrize("call, error, message", REFUSED)
def test_what_cannot_be_built_is_refused(call, error, message):
    with pytest.raises(getattr(builtins, error), match=message):
        eval(call)


@pytest.mark.parametrize("name", ["params", "grads", "state", "variables", "input_shape", "output_shape"])
def test_the_first_use_of_what_build_makes_builds_the_model(name):
    used, built = Sequential([dense((2,))], seed=3), Sequential([dense((2,))], seed=3).build()
    assert np.array_equal(getattr(used, name), getattr(built, name))
    assert np.array_equal(used.params, built.params) and used.params is used.params
    with pytest.raises(AttributeError, match=f"no {name} before build: the input's shape is unknown"):
        getattr(Sequential([dense()]), name)


def test_weights_that_are_set_before_build_are_kept():
    model = Sequential([dense((2,))])
    model.params = [1, 2, 3]
    assert model.predict([[1.0, 1.0]]) == 6
    with pytest.raises(AttributeError, match="no params before build"):
        Sequential([dense()]).params = [1, 2, 3]


def test_a_step_by_hand_needs_no_build():
    model, optimizer = Sequential([dense((2,))]), optimizers.SGD(0.1)
    with pytest.raises(RuntimeError, match="not bound: call bind"):
        optimizer.step()
    optimizer.bind(model.params, model.grads, model.variables)
    model.params = [1, 2, 3]
    model.forward([[1.0, 1.0]])
    model.backward([[1.0]])
    optimizer.step()
    np.testing.assert_allclose(model.params, [0.9, 1.9, 2.9], rtol=1e-6)


# --- training


def test_get_layer():
    model = everything()
    assert model.get_layer("dense") is model.get_layer(index=5) is model.get_layer(name="dense")
    assert model.get_layer(index=0) is model.layers[0]
    for wrong in ({}, {"name": "dense", "index": 5}):
        with pytest.raises(ValueError, match="give the name of a layer, or its index"):
            model.get_layer(**wrong)
    with pytest.raises(ValueError, match="no layer 'dens'; there are conv2d, .*dense, dense_1"):
        model.get_layer("dens")
    for index in (7, -1, True, 1.5):
        with pytest.raises(ValueError, match=f"no layer {index}; there are 0, 1, 2"):
            model.get_layer(index=index)


def test_an_optimizer_trains_one_model():
    optimizer = optimizers.Adam()
    first, second = everything(), everything(1)
    for model in (first, second):
        model.compile(optimizer, "categorical_crossentropy")
    first.train_on_batch(*data())
    with pytest.raises(ValueError, match="one for each"):
        second.train_on_batch(*data())


def test_compiling_again_keeps_the_moments_of_the_same_optimizer():
    model, optimizer = everything(), optimizers.Adam()
    model.compile(optimizer, "mse")
    model.train_on_batch(*data())
    model.compile(optimizer, "mse")
    model.train_on_batch(*data())
    assert optimizer.iterations == 2


@both
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["x", "y"])
def test_numbers_that_are_not_finite_stop_before_anything_changes(make, bad, where):
    model = make()
    model.compile("adam", "mse")
    x, y = data()
    model.train_on_batch(x, y)
    params, state = model.params.copy(), model.state.copy()
    (x if where == "x" else y).flat[3] = bad
    with pytest.raises(FloatingPointError, match="step 2; no weight was changed"):
        model.train_on_batch(x, y)
    assert np.array_equal(params, model.params) and np.array_equal(state, model.state)


def test_targets_never_broadcast():
    model = Sequential([layers.Dense(3, input_shape=(2,))])
    model.compile("sgd", "mse")
    for shape, message in (((4, 1), "same shape"), ((1, 3), "same number of examples: 4 and 1")):
        with pytest.raises(ValueError, match=message):
            model.train_on_batch(np.ones((4, 2)), np.ones(shape))
