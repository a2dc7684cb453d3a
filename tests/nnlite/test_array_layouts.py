"""Arrays in every memory layout: models read the same numbers, or raise ValueError."""

import numpy as np
import pytest

from nnlite import Sequential, layers, optimizers
from nnlite.convolution import PATHS
from tests.layouts import LAYOUTS
from tests.nnlite.samples import PAIRWISE

rng = np.random.default_rng(0)


class Named(np.ndarray):
    """A subclass, as units and tables are."""


SAME_NUMBERS = {
    **LAYOUTS,
    "float64": lambda a: a.astype(np.float64),
    "float16": lambda a: a.astype(np.float16),
    "whole numbers": lambda a: a.astype(np.int8),
    "list": lambda a: a.tolist(),
    "subclass": lambda a: a.view(Named),
    "memoryview": memoryview,
}
NO_NUMBERS = {
    "complex": lambda a: a + 1j,
    "text": lambda a: a.astype(str),
    "objects": lambda a: a.astype(object),
    "dates": lambda a: a.astype(int).astype("M8[s]"),
    "records": lambda a: np.zeros(a.shape, [("a", np.float32)]),
    "0-d": lambda a: np.array(1.0),
    "a number": lambda a: 1.0,
    "one axis more": lambda a: a[None],
    "another width": lambda a: a[..., :-1],
}


def dense(passes="compiled"):
    stack = [layers.Dense(5, "tanh", input_shape=(4,)), layers.Dense(2)]
    return Sequential(stack, seed=1, passes=passes)


def dense_by_layers():
    return dense(passes="layers")


def normalized():
    return Sequential([layers.BatchNormalization(input_shape=(4,)), layers.Dense(2)], seed=1)


def image():
    conv = layers.Conv2D(17, 2, padding="same", activation="relu", input_shape=(3, 4, 2))
    return Sequential([conv, layers.MaxPooling2D(), layers.Flatten(), layers.Dense(2)], seed=1)


def image_by_patches():
    conv = layers.Conv2D(3, 2, input_shape=(3, 4, 2))
    model = Sequential([conv, layers.Flatten(), layers.Dense(2)], seed=1, passes="layers").build()
    conv.path = PATHS["patches"](conv.geometry, conv.filters, conv.buffer)
    return model


MODELS = [dense, dense_by_layers, normalized, image, image_by_patches]


def data(model, n=6):
    """Small whole numbers, the same in every type."""
    whole = rng.integers(-4, 5, (n, *model.build().input_shape))
    return whole.astype(np.float32), rng.integers(-4, 5, (n, 2)).astype(np.float32)


@pytest.mark.parametrize("version", SAME_NUMBERS)
@pytest.mark.parametrize("make", MODELS)
def test_the_layout_of_an_array_changes_nothing(make, version):
    change = SAME_NUMBERS[version]
    plain, odd = make(), make()
    x, dy = data(plain)
    odd_x = change(x)
    np.testing.assert_array_equal(odd.predict(odd_x), plain.predict(x))
    np.testing.assert_array_equal(odd.predict(odd_x, batch_size=4), plain.predict(x, batch_size=4))
    np.testing.assert_array_equal(odd.forward(odd_x), plain.forward(x))
    np.testing.assert_array_equal(odd.backward(change(dy), need_dx=True), plain.backward(dy, need_dx=True))
    np.testing.assert_array_equal(odd.grads, plain.grads)
    np.testing.assert_array_equal(change(x), x)  # what is read is not written


@pytest.mark.parametrize("version", SAME_NUMBERS)
@pytest.mark.parametrize("make", [dense, image])
def test_nor_does_it_in_training(make, version):
    change = SAME_NUMBERS[version]
    plain, odd = make(), make()
    x, y = data(plain)
    for model in (plain, odd):
        model.compile(optimizers.Adam(0.01), "mse")
    for _ in range(2):
        assert odd.train_on_batch(change(x), change(y)) == plain.train_on_batch(x, y)
    odd.fit(change(x), change(y), batch_size=4, verbose=0, seed=0)
    plain.fit(x, y, batch_size=4, verbose=0, seed=0)
    np.testing.assert_array_equal(odd.params, plain.params)
    assert odd.evaluate(change(x), change(y)) == plain.evaluate(x, y)


@pytest.mark.parametrize("version", NO_NUMBERS)
@pytest.mark.parametrize("make", MODELS)
def test_what_holds_no_numbers_of_this_shape_is_refused(make, version):
    model, change = make(), NO_NUMBERS[version]
    x, y = data(model)
    model.compile("sgd", "mse")
    before = model.params.copy()
    calls = [(model.predict, change(x)), (model.forward, change(x))]
    for method in (model.train_on_batch, model.fit, model.evaluate):
        calls += [(method, change(x), y), (method, x, change(y))]
    for method, *arrays in calls:
        with pytest.raises(ValueError, match=r"\w"):
            method(*arrays)
    model.forward(x)
    with pytest.raises(ValueError, match="dy"):
        model.backward(change(y))
    model.backward(y)  # still pending
    np.testing.assert_array_equal(model.params, before)


@pytest.mark.parametrize("make", MODELS)
def test_an_empty_batch_is_predicted_and_never_learned_from(make):
    model = make().build()
    model.compile("sgd", "mse")
    x, y = data(model, 0)
    state = model.state.copy()
    assert model.predict(x).shape == (0, 2)
    for method, *arrays in ((model.forward, x), *((m, x, y) for m in (model.train_on_batch, model.fit))):
        with pytest.raises(ValueError, match="example|empty batch"):
            method(*arrays)
    with pytest.raises(ValueError, match="example|empty batch"):
        model.evaluate(x, y)
    with pytest.raises(RuntimeError):
        model.backward(y)
    np.testing.assert_array_equal(model.state, state)


@pytest.mark.parametrize("version", [name for name in SAME_NUMBERS if name != "float16"])
def test_weights_are_set_from_any_layout(version):
    model, other = dense().build(), dense().build()
    values = [np.round(8 * w) for w in model.get_weights()]
    model.set_weights(values)
    changed = [SAME_NUMBERS[version](w) for w in values]
    other.set_weights(changed)
    np.testing.assert_array_equal(other.params, model.params)
    other.layers[0].set_weights(changed[:2])
    np.testing.assert_array_equal(other.params, model.params)


@pytest.mark.parametrize("version", NO_NUMBERS)
def test_weights_that_are_none_change_nothing(version):
    model = dense().build()
    before, values = model.params.copy(), model.get_weights()
    values[2] = NO_NUMBERS[version](values[2])
    for target, given in ((model, values), (model.layers[1], values[2:])):
        with pytest.raises(ValueError, match={"another width": "weights of shapes"}.get(version)):
            target.set_weights(given)
    np.testing.assert_array_equal(model.params, before)


NOT_IN_PLACE = [name for name in LAYOUTS if name not in ("Fortran", "a window", "transposed")]


@pytest.mark.parametrize(
    "version", [*NOT_IN_PLACE, "float16", "whole numbers", "list", "memoryview", "objects", "0-d"]
)
@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("make", optimizers.REGISTRY.values())
def test_an_optimizer_takes_only_what_it_can_change_in_place(make, place, version):
    arrays = [np.zeros(6, np.float32), np.ones(6, np.float32)]
    arrays[place] = {**SAME_NUMBERS, **NO_NUMBERS}[version](arrays[place])
    with pytest.raises(ValueError, match="params|grads"):
        make().bind(*arrays)


@pytest.mark.parametrize("make", optimizers.REGISTRY.values())
def test_parameters_and_gradients_are_two_arrays(make):
    both = np.ones(12)
    with pytest.raises(ValueError, match="share"):
        make().bind(both[:8], both[4:])
    make().bind(both[:6], both[6:]).step()


@pytest.mark.parametrize("loss", PAIRWISE)
@pytest.mark.parametrize("version", [name for name in SAME_NUMBERS if name not in ("list", "memoryview")])
def test_losses_read_any_layout_and_answer_in_the_prediction_s_type(loss, version):
    prediction = rng.uniform(0.1, 0.9, (5, 3)).astype(np.float32)
    target = np.eye(3, dtype=np.float32)[[0, 1, 2, 1, 0]]
    value, gradient = loss(prediction, target)
    odd_value, odd_gradient = loss(prediction, SAME_NUMBERS[version](target))
    assert isinstance(value, float) and odd_value == pytest.approx(value, rel=1e-6)
    np.testing.assert_allclose(odd_gradient, gradient, rtol=1e-5)
    assert odd_gradient.dtype == prediction.dtype and odd_gradient.shape == prediction.shape
