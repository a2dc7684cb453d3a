"""The compiled passes of small dense networks do what the layers do: numbers, errors, and who owns which
array.
"""

import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from nnlite_ext import _network, _threads

from nnlite import activations, layers
from nnlite.gradcheck import gradient_errors, kink_distance, scramble, smooth_input
from nnlite.models import Sequential

BOUNDS = {"float32": 1e-5, "float64": 1e-12}
names = st.sampled_from(sorted(activations.REGISTRY))
sizes = st.one_of(st.integers(1, 70), st.sampled_from([8, 16, 32, 64]))
penalties = st.sampled_from([None, None, "l1", "l2"])


@pytest.fixture(autouse=True)
def target_is_put_back():
    before = _threads.target()
    yield
    _threads.set_target(before)


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
        made = [
            layers.Conv2D(**conv, **({} if at else {"input_shape": shape})) for at, conv in enumerate(convs)
        ]
        if len(shape) > 1:
            made.append(layers.Flatten(**({} if made else {"input_shape": shape})))
        for (units, name, bias, penalty), extra in zip(dense, after, strict=True):
            own = {"input_shape": shape} if not made else {}
            made.append(layers.Dense(units, name, use_bias=bias, kernel_regularizer=penalty, **own))
            if extra is not None:
                made.append(layers.Activation(extra))
        return made

    return make


def twins(make, dtype, seed=0):
    """The same model twice: compiled, and layer by layer."""
    compiled, plain = (Sequential(make(), seed=seed, dtype=dtype).build() for _ in range(2))
    scramble(compiled, seed)
    compiled.params *= (
        0.3  # far from chaos: four layers of weights near 1 multiply a rounding error by thousands
    )
    plain.copy_from(compiled)
    assert compiled._fused is not None
    plain._fused = None
    return compiled, plain


def distance(a, b):
    assert a.shape == b.shape and a.dtype == b.dtype
    return np.abs(a - b).max(initial=0) / max(1.0, np.abs(b).max(initial=0))


@pytest.mark.parametrize("dtype", sorted(BOUNDS))
@settings(deadline=None, max_examples=150)
@given(
    make=networks(),
    n=st.integers(1, 40),
    seed=st.integers(0, 2**32 - 2),
    logits=st.booleans(),
    need_dx=st.booleans(),
    target=st.sampled_from(_threads.targets()),
)
def test_compiled_passes_are_the_layers(dtype, make, n, seed, logits, need_dx, target):
    _threads.set_target(target)
    compiled, plain = twins(make, dtype, seed)
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, *compiled.input_shape)).astype(dtype)
    bound = BOUNDS[dtype]
    assert distance(compiled.predict(x), plain.predict(x)) <= bound
    assume(kink_distance(plain, x) > bound)  # else a rounding error may switch a relu on in one of the two
    y = compiled.forward(x, logits)
    assert compiled._fused is not None and compiled._pending is None  # the compiled passes did it
    assert distance(y, plain.forward(x, logits)) <= bound
    dy = rng.standard_normal(y.shape).astype(dtype)
    dx, expected = compiled.backward(dy, need_dx), plain.backward(dy, need_dx)
    assert (dx is None) == (expected is None) == (not need_dx)
    if need_dx:
        assert distance(dx, expected) <= 10 * bound
    assert distance(compiled.grads, plain.grads) <= 10 * bound


@settings(deadline=None, max_examples=40)
@given(
    make=networks(sizes=st.integers(1, 5), depth=3),
    n=st.integers(1, 6),
    seed=st.integers(0, 2**32 - 2),
    target=st.sampled_from(_threads.targets()),
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
@pytest.mark.parametrize("name", sorted(activations.REGISTRY))
@pytest.mark.parametrize("target", _threads.targets())
def test_activations_are_finite_and_accurate_far_out(dtype, name, target):
    _threads.set_target(target)
    compiled, plain = twins(lambda: [layers.Dense(3, name, use_bias=False, input_shape=(1,))], dtype)
    compiled.params[...] = plain.params[...] = [1, -1, 0.5]
    z = np.concatenate([[0.0], *(sign * np.logspace(-12, 4, 200) for sign in (1, -1))]).astype(dtype)[:, None]
    y, expected = compiled.predict(z), plain.predict(z)
    assert np.isfinite(y).all()
    np.testing.assert_allclose(y, expected, rtol=8 * np.finfo(dtype).eps, atol=np.finfo(dtype).tiny)


@pytest.mark.parametrize("name", sorted(activations.REGISTRY))
@pytest.mark.parametrize("target", _threads.targets())
def test_nan_is_not_lost(name, target):
    _threads.set_target(target)
    model, _ = twins(lambda: [layers.Dense(20, name, input_shape=(3,)), layers.Dense(2, name)], "float32")
    x = np.zeros((5, 3), np.float32)
    x[3, 1] = np.nan
    assert np.isnan(model.predict(x)).any(axis=1).tolist() == [False, False, False, True, False]
    model.forward(x)
    model.backward(np.ones((5, 2), np.float32))
    assert np.isnan(model.grads).any()


def test_a_valid_convolution_too():
    compiled, plain = twins(
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
        assert distance(compiled.forward(x), plain.forward(x)) <= 1e-12
        assert distance(compiled.backward(dy, True), plain.backward(dy, True)) <= 1e-12
        assert distance(compiled.grads, plain.grads) <= 1e-12


def chain(*_):
    return [layers.Dense(6, "tanh", input_shape=(3,)), layers.Dense(2, "softmax")]


@pytest.mark.parametrize(
    "x",
    [
        [[1, 2, 3], [4, 5, 6]],
        np.arange(6.0).reshape(2, 3),
        np.arange(6).reshape(2, 3),
        np.arange(6, dtype=np.float32).reshape(3, 2).T,
        np.arange(12, dtype=np.float32).reshape(2, 6)[:, ::2],
        np.arange(6, dtype=">f4").reshape(2, 3),
        np.arange(900, dtype=np.float32).reshape(300, 3) / 900,
        np.arange(9000, dtype=np.float32).reshape(3000, 3) / 9000,
        np.zeros((0, 3), np.float32),
    ],
)
def test_every_input_that_the_layers_take_gives_what_they_give(x):
    compiled, plain = twins(chain, "float32")
    assert distance(compiled.predict(x), plain.predict(x)) <= 1e-6
    assert distance(compiled.predict(x, batch_size=7), plain.predict(x)) <= 1e-6
    if len(x):
        y = compiled.forward(x)
        assert distance(y, plain.forward(x)) <= 1e-6
        compiled.backward(np.ones(y.shape)), plain.backward(np.ones(y.shape))
        assert distance(compiled.grads, plain.grads) <= 1e-4


def answer(action):
    """What a call raises: its class and its words."""
    with pytest.raises(Exception) as caught:
        action()
    return caught.type, str(caught.value)


@pytest.mark.parametrize(
    "action",
    [
        lambda m: m.predict(np.zeros((2, 4), np.float32)),
        lambda m: m.predict(np.zeros(3, np.float32)),
        lambda m: m.predict(np.zeros((2, 3), np.float32), batch_size=0),
        lambda m: m.predict("x"),
        lambda m: m.forward(np.zeros((2, 3, 1), np.float32)),
        lambda m: m.backward(np.zeros((2, 2), np.float32)),
        lambda m: (m.forward(np.zeros((2, 3), np.float32)), m.backward(np.zeros((3, 2), np.float32))),
        lambda m: (m.forward(np.zeros((2, 3), np.float32)), m.backward(np.zeros(4, np.float32))),
        lambda m: (
            m.forward(np.zeros((2, 3), np.float32)),
            *[m.backward(np.zeros((2, 2), np.float32)) for _ in range(2)],
        ),
        lambda m: (
            m.forward(np.zeros((2, 3))),
            *[m.backward(np.zeros((2, 2), np.float32)) for _ in range(2)],
        ),
        lambda m: (
            m.forward(np.zeros((2, 3), np.float32)),
            catch(m, np.zeros((2, 5))),
            m.backward(np.zeros((2, 2), np.float32)),
        ),
    ],
)
def test_errors_are_the_layers_errors(action):
    compiled, plain = twins(chain, "float32")
    assert answer(lambda: action(compiled)) == answer(lambda: action(plain))


def catch(model, x):
    with pytest.raises(ValueError):
        model.forward(x)


def test_a_wrong_dy_leaves_the_backward_pending():
    model, _ = twins(chain, "float32")
    y = model.forward(np.ones((2, 3), np.float32))
    with pytest.raises(ValueError):
        model.backward(np.zeros((2, 3), np.float32))
    model.backward(np.ones_like(y))


def test_predict_does_not_disturb_a_pending_backward():
    compiled, plain = twins(chain, "float32")
    x = np.random.default_rng(0).standard_normal((20, 3)).astype("f")
    for model in (compiled, plain):
        y = model.forward(x)
        before = y.copy()
        model.predict(x[:5] * 2), model.predict(np.ones((1000, 3), "f"))
        assert (y == before).all()
        model.backward(np.eye(20, 2, dtype="f"))
    assert distance(compiled.grads, plain.grads) <= 1e-5


def test_the_last_forward_counts_however_it_was_done():
    """A float64 batch, one that is too large for the compiled passes, and a plain one, in turns."""
    compiled, plain = twins(chain, "float32")
    rng = np.random.default_rng(1)
    for n in (4, 2000, 3, 2000, 2000, 5):
        x = rng.standard_normal((n, 3)).astype("f8" if n == 3 else "f4")
        dy = rng.standard_normal((n, 2)).astype("f")
        for model in (compiled, plain):
            model.forward(x * 2)
            model.forward(x)
            model.backward(dy)
            with pytest.raises(RuntimeError):
                model.backward(dy)
        assert distance(compiled.grads, plain.grads) <= 1e-5


def test_predictions_are_new_arrays():
    model, _ = twins(chain, "float32")
    x = np.ones((1, 3), np.float32)
    kept = [model.predict(x) for _ in range(300)]
    kept[0][...] = 7
    assert all((y == kept[1]).all() for y in kept[1:])
    assert kept[0].flags.writeable
    batch = [model.predict(np.ones((n, 3), np.float32)) for n in (5, 1, 5, 1, 5)]
    batch[0][...] = 7
    assert (batch[2] == batch[4]).all() and not (batch[2] == 7).any()


def test_forward_gives_one_buffer_for_each_batch_size():
    model, _ = twins(chain, "float32")
    small, large = np.ones((2, 3), np.float32), np.ones((9, 3), np.float32)
    assert model.forward(small) is model.forward(small)
    first = model.forward(small)
    assert model.forward(large) is not first
    assert model.forward(small) is first


@pytest.mark.parametrize(
    "make",
    [
        lambda: [layers.Conv2D(9, 3, input_shape=(5, 5, 1)), layers.Flatten(), layers.Dense(2)],
        lambda: [
            layers.Conv2D(2, 3, activation="softmax", input_shape=(5, 5, 1)),
            layers.Flatten(),
            layers.Dense(2),
        ],
        lambda: [layers.Conv2D(2, 3, input_shape=(100, 100, 1)), layers.Flatten(), layers.Dense(2)],
        lambda: [
            layers.Conv2D(2, 3, input_shape=(5, 5, 1)),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(2),
        ],
        lambda: [layers.Conv2D(2, 3, input_shape=(5, 5, 1)), layers.Dense(2)],
        lambda: [layers.Conv2D(2, 3, input_shape=(5, 5, 1)), layers.Flatten()],
        lambda: [
            layers.Rescaling(1 / 255, input_shape=(5, 5, 1)),
            layers.Conv2D(2, 3),
            layers.Flatten(),
            layers.Dense(2),
        ],
        lambda: [layers.Dense(4, input_shape=(3,)), layers.BatchNormalization(), layers.Dense(2)],
        lambda: [layers.Dense(4, input_shape=(3,)), layers.Dropout(0.5)],
        lambda: [layers.Dense(4, input_shape=(2, 3)), layers.Flatten(), layers.Dense(2)],
        lambda: [layers.Dense(4, input_shape=(2, 3))],
        lambda: [layers.Flatten(input_shape=(2, 3))],
        lambda: [layers.Activation("relu", input_shape=(3,)), layers.Dense(2)],
        lambda: [type("Own", (layers.Dense,), {})(4, input_shape=(3,))],
        lambda: [layers.Dense(4, type("Own", (activations.Relu,), {})(), input_shape=(3,))],
        lambda: (
            [layers.Dense(2, input_shape=(3,)) for _ in range(1)]
            + [layers.Dense(2) for _ in range(_network.MOST_LAYERS)]
        ),
        lambda: [layers.Dense(2000, input_shape=(2000,))],
    ],
)
def test_other_networks_go_layer_by_layer(make):
    model = Sequential(make(), seed=0).build()
    assert model._fused is None
    model.predict(np.zeros((2, *model.input_shape), np.float32))


def test_models_in_two_threads_give_what_they_give_alone():
    def train(seed, result):
        model, _ = twins(
            lambda: [layers.Dense(64, "relu", input_shape=(8,)), layers.Dense(64, "tanh"), layers.Dense(3)],
            "float32",
            seed,
        )
        rng = np.random.default_rng(seed)
        for _ in range(300):
            x = rng.standard_normal((64, 8)).astype("f")
            y = model.forward(x)
            model.predict(x[:1])
            model.backward(y - x[:, :3])
            model.params -= np.float32(0.001) * model.grads
        result[seed] = model.params.copy()

    alone, together = {}, {}
    for seed in (1, 2):
        train(seed, alone)
    threads = [threading.Thread(target=train, args=(seed, together)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in (1, 2):
        assert (alone[seed] == together[seed]).all()


def test_steady_state_keeps_no_memory():
    model, _ = twins(chain, "float32")
    one, many, dy = np.ones((1, 3), np.float32), np.ones((32, 3), np.float32), np.ones((32, 2), np.float32)

    def step():
        model.predict(one), model.predict(many), model.forward(many), model.backward(dy, True)

    for _ in range(200):
        step()
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    for _ in range(1000):
        step()
    grown = sum(entry.size_diff for entry in tracemalloc.take_snapshot().compare_to(before, "filename"))
    tracemalloc.stop()
    assert grown < 20_000


def test_the_comparison_can_fail():
    """A kernel gradient of the wrong sign, planted into the plain twin, is seen."""
    compiled, plain = twins(chain, "float64")
    x = np.random.default_rng(0).standard_normal((4, 3))
    for model in (compiled, plain):
        model.forward(x)
        model.backward(np.eye(4, 2))
    plain.layers[0].dW *= -1
    assert distance(compiled.grads, plain.grads) > 1e-3
