"""The compiled passes of small networks compute what their layers compute."""

import numpy as np
import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st
from nnlite_ext import _network, _threads

from nnlite import activations, layers
from nnlite.gradcheck import gradient_errors, kink_distance, scramble, smooth_input
from nnlite.models import Sequential
from nnlite.passes import LayerPasses
from nnlite.plan import MOST_ROWS
from tests.examples import examples

BOUNDS = {"float32": 1e-5, "float64": 1e-12}
names = st.sampled_from(_network.ACTIVATIONS)
sizes = st.one_of(st.integers(1, 70), st.sampled_from([8, 16, 32, 64]))
penalties = st.sampled_from([None, None, "l1", "l2"])
targets = st.sampled_from(_threads.targets())


@st.composite
def convolutions(draw):
    """A convolution whose kernel may be larger than the image it meets."""
    return {
        "filters": draw(st.integers(1, 8)),
        "kernel_size": draw(st.tuples(*[st.integers(1, 4)] * 2)),
        "padding": "same",
        "strides": draw(st.tuples(*[st.integers(1, 3)] * 2)),
        "activation": draw(names.filter(lambda name: name != "softmax")),
        "use_bias": draw(st.booleans()),
        "kernel_regularizer": draw(penalties),
    }


@st.composite
def networks(draw, sizes=sizes, depth=4):
    """A function that makes the layers of a chain, each time anew."""
    shape = draw(st.one_of(st.tuples(sizes), st.tuples(*[st.integers(1, 7)] * 2, st.integers(1, 5))))
    convs = draw(st.lists(convolutions(), max_size=3)) if len(shape) > 1 else []
    dense = draw(st.lists(st.tuples(sizes, names, st.booleans(), penalties), min_size=1, max_size=depth))
    after = draw(st.lists(st.one_of(st.none(), names), min_size=len(dense), max_size=len(dense)))

    def make():
        made = [layers.Conv2D(**conv) for conv in convs]
        if len(shape) > 1:
            made.append(layers.Flatten())
        for (units, name, bias, penalty), extra in zip(dense, after, strict=True):
            made.append(layers.Dense(units, name, use_bias=bias, kernel_regularizer=penalty))
            if extra is not None:
                made.append(layers.Activation(extra))
        vars(made[0])["input_shape"] = shape
        return made

    return make


def twins(make, dtype, seed=0):
    """The same model twice: compiled, and layer by layer."""
    compiled = Sequential(make(), seed=seed, dtype=dtype).build()
    by_layers = Sequential(make(), seed=seed, dtype=dtype, passes="layers").build()
    assert isinstance(compiled._passes, _network.CompiledNetwork) and isinstance(
        by_layers._passes, LayerPasses
    )
    scramble(compiled, seed)
    # far from chaos: four layers of weights near 1 multiply a rounding error by thousands
    compiled.params *= 0.3
    by_layers.copy_from(compiled)
    return compiled, by_layers


def distance(a, b):
    assert a.shape == b.shape and a.dtype == b.dtype
    return np.abs(a - b).max(initial=0) / max(1.0, np.abs(b).max(initial=0))


@pytest.mark.parametrize("dtype", sorted(BOUNDS))
@examples(150)
@given(
    make=networks(),
    n=st.integers(1, 40),
    seed=st.integers(0, 2**32 - 2),
    logits=st.booleans(),
    need_dx=st.booleans(),
    target=targets,
)
def test_compiled_passes_are_the_layers(dtype, make, n, seed, logits, need_dx, target):
    _threads.set_target(target)
    compiled, by_layers = twins(make, dtype, seed)
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, *compiled.input_shape)).astype(dtype)
    bound = BOUNDS[dtype]
    assert distance(compiled.predict(x), by_layers.predict(x)) <= bound
    assume(
        kink_distance(by_layers, x) > bound
    )  # else a rounding error may switch a relu on in one of the two
    y = compiled.forward(x, logits)
    assert compiled._passes.otherwise.pending is None  # the compiled network did it
    assert distance(y, by_layers.forward(x, logits)) <= bound
    dy = rng.standard_normal(y.shape).astype(dtype)
    dx, expected = compiled.backward(dy, need_dx), by_layers.backward(dy, need_dx)
    assert (dx is None) == (expected is None) == (not need_dx)
    if need_dx:
        assert distance(dx, expected) <= 10 * bound
    assert distance(compiled.grads, by_layers.grads) <= 10 * bound


@examples(40)
@given(
    make=networks(sizes=st.integers(1, 5), depth=3),
    n=st.integers(1, 6),
    seed=st.integers(0, 2**32 - 2),
    target=targets,
)
def test_compiled_backward_is_the_gradient_of_forward(make, n, seed, target):
    _threads.set_target(target)
    model, _ = twins(make, "float64", seed)
    try:
        x = smooth_input(model, n, seed, margin=2e-4)
    except ValueError:  # too many relus for one draw to be far from every kink
        reject()
    errors = gradient_errors(model, x)
    assert max(errors.values()) <= 1e-7, errors


@pytest.mark.parametrize("dtype", sorted(BOUNDS))
@pytest.mark.parametrize("name", _network.ACTIVATIONS)
def test_activations_are_finite_and_accurate_far_out(each_target, dtype, name):
    compiled, by_layers = twins(lambda: [layers.Dense(3, name, use_bias=False, input_shape=(1,))], dtype)
    compiled.params[...] = by_layers.params[...] = [1, -1, 0.5]
    z = np.concatenate([[0.0], *(sign * np.logspace(-12, 4, 200) for sign in (1, -1))]).astype(dtype)[:, None]
    y, expected = compiled.predict(z), by_layers.predict(z)
    assert np.isfinite(y).all()
    np.testing.assert_allclose(y, expected, rtol=8 * np.finfo(dtype).eps, atol=np.finfo(dtype).tiny)


@pytest.mark.parametrize("name", _network.ACTIVATIONS)
def test_nan_is_not_lost(each_target, name):
    model, _ = twins(lambda: [layers.Dense(20, name, input_shape=(3,)), layers.Dense(2, name)], "float32")
    x = np.zeros((5, 3), np.float32)
    x[3, 1] = np.nan
    assert np.isnan(model.predict(x)).any(axis=1).tolist() == [False, False, False, True, False]
    model.forward(x)
    model.backward(np.ones((5, 2), np.float32))
    assert np.isnan(model.grads).any()


def test_a_valid_convolution_too():
    compiled, by_layers = twins(
        lambda: [
            layers.Conv2D(5, 3, strides=2, input_shape=(9, 8, 2)),
            layers.Conv2D(3, (2, 1), activation="relu"),
            layers.Flatten(),
            layers.Dense(3, "softmax"),
        ],
        "float64",
    )
    rng = np.random.default_rng(0)
    for n in (1, 7, 16, 17, 50):
        x, dy = rng.standard_normal((n, 9, 8, 2)), rng.standard_normal((n, 3))
        assert distance(compiled.forward(x), by_layers.forward(x)) <= 1e-12
        assert distance(compiled.backward(dy, True), by_layers.backward(dy, True)) <= 1e-12
        assert distance(compiled.grads, by_layers.grads) <= 1e-12


def chain():
    return [layers.Dense(6, "tanh", input_shape=(3,)), layers.Dense(2, "softmax")]


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8"])
@pytest.mark.parametrize("n", [0, 1, MOST_ROWS, MOST_ROWS + 1, 3 * MOST_ROWS])
def test_every_batch_that_the_layers_take_gives_what_they_give(n, dtype):
    compiled, by_layers = twins(chain, "float32")
    x = np.random.default_rng(0).uniform(-3, 3, (n, 3)).astype(dtype)
    for batch_size in (256, 7, 2 * MOST_ROWS):
        assert distance(compiled.predict(x, batch_size), by_layers.predict(x, batch_size)) <= 1e-6
    if n:
        assert distance(compiled.forward(x), by_layers.forward(x)) <= 1e-6
        assert (compiled._passes.otherwise.pending is None) == (n <= MOST_ROWS)
        dy = np.random.default_rng(1).standard_normal((n, 2)).astype("f4" if dtype == "f8" else "f8")
        dx, expected = compiled.backward(dy, True), by_layers.backward(dy, True)
        assert distance(dx, expected) <= 1e-5 and distance(compiled.grads, by_layers.grads) <= 1e-5


def image(**arguments):
    return layers.Conv2D(**{"filters": 2, "kernel_size": 3, "input_shape": (5, 5, 1), **arguments})


def dense(units=4, **arguments):
    return layers.Dense(units, **{"input_shape": (3,), **arguments})


OTHERS = {
    "nine filters": lambda: [image(filters=9), layers.Flatten(), layers.Dense(2)],
    "softmax over channels": lambda: [image(activation="softmax"), layers.Flatten(), layers.Dense(2)],
    "a large image": lambda: [image(input_shape=(100, 100, 1)), layers.Flatten(), layers.Dense(2)],
    "pooling": lambda: [image(), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(2)],
    "a Dense layer over channels": lambda: [image(), layers.Dense(2)],
    "no Dense layer after a convolution": lambda: [image(), layers.Flatten()],
    "rescaling": lambda: [
        layers.Rescaling(1 / 255, input_shape=(5, 5, 1)),
        layers.Conv2D(2, 3),
        layers.Flatten(),
        layers.Dense(2),
    ],
    "normalization": lambda: [dense(), layers.BatchNormalization(), layers.Dense(2)],
    "dropout": lambda: [dense(), layers.Dropout(0.5)],
    "Flatten after Dense": lambda: [dense(input_shape=(2, 3)), layers.Flatten(), layers.Dense(2)],
    "Dense on two axes": lambda: [dense(input_shape=(2, 3))],
    "Flatten alone": lambda: [layers.Flatten(input_shape=(2, 3))],
    "an activation first": lambda: [layers.Activation("relu", input_shape=(3,)), layers.Dense(2)],
    "a user's layer": lambda: [type("Own", (layers.Dense,), {})(4, input_shape=(3,))],
    "a user's activation": lambda: [dense(activation=type("Own", (activations.Relu,), {})())],
    "too many layers": lambda: [dense(2), *(layers.Dense(2) for _ in range(_network.MOST_LAYERS))],
    "too many weights": lambda: [dense(2000, input_shape=(2000,))],
}


@pytest.mark.parametrize("what", OTHERS)
def test_other_networks_go_layer_by_layer(what):
    model = Sequential(OTHERS[what](), seed=0).build()
    assert isinstance(model._passes, LayerPasses)
    model.predict(np.zeros((2, *model.input_shape), np.float32))


def test_the_comparison_can_fail():
    """A kernel gradient of the wrong sign, planted into the layers, is seen."""
    compiled, by_layers = twins(chain, "float64")
    x = np.random.default_rng(0).standard_normal((4, 3))
    for model in (compiled, by_layers):
        model.forward(x)
        model.backward(np.eye(4, 2))
    by_layers.layers[0].dW *= -1
    assert distance(compiled.grads, by_layers.grads) > 1e-3
