"""The contract of forward, backward and predict, the same for compiled passes and for layers."""

import tracemalloc

import numpy as np
import pytest
from nnlite_ext._network import CompiledNetwork

from nnlite import Sequential, layers
from nnlite.passes import LayerPasses
from tests.nnlite.samples import data, everything, small


def small_by_layers(seed=0):
    return small(seed, passes="layers")


def everything_certain(seed=0):
    """Without Dropout's chance, so that a pass depends on nothing but its input."""
    return everything(seed, rate=0.0)


each_kind = pytest.mark.parametrize("make", [small, small_by_layers, everything_certain])


def gradient(n, seed=0):
    return np.random.default_rng(seed).standard_normal((n, 3)).astype(np.float32)


def test_the_models_here_run_as_they_are_named():
    assert isinstance(small()._passes, CompiledNetwork)
    assert isinstance(small_by_layers()._passes, LayerPasses)
    assert isinstance(everything_certain()._passes, LayerPasses)
    with pytest.raises(ValueError, match="'compiled' or 'layers', not 'none'"):
        small(passes="none")


# --- one backward per forward


@each_kind
def test_a_second_backward_raises(make):
    model = make()
    model.forward(data(4)[0])
    model.backward(gradient(4))
    with pytest.raises(RuntimeError, match="one backward per forward"):
        model.backward(gradient(4))


@each_kind
def test_backward_after_predict_alone_raises(make):
    model = make()
    model.predict(data(4)[0])
    with pytest.raises(RuntimeError, match="needs a forward"):
        model.backward(gradient(4))


def test_backward_before_the_first_data_raises():
    with pytest.raises(RuntimeError, match="needs a forward"):
        Sequential([layers.Dense(3)]).backward(gradient(4))


@each_kind
@pytest.mark.parametrize("bad", [np.zeros((4, 5), "f"), np.zeros((0, 6, 6, 2), "f"), np.zeros((0, 6, 6, 2))])
def test_after_a_forward_that_failed_no_backward_is_pending(make, bad):
    model = make()
    model.forward(data(4)[0])
    with pytest.raises(ValueError):
        model.forward(bad)
    with pytest.raises(RuntimeError, match="needs a forward"):
        model.backward(gradient(4))


# 3000 rows are more than the compiled passes take, float64 has to be converted for them
BATCHES = [(4, "f4"), (5, "f4"), (4, "f8"), (3000, "f4")]


@each_kind
@pytest.mark.parametrize("first", BATCHES)
@pytest.mark.parametrize("second", BATCHES)
def test_the_backward_belongs_to_the_last_forward(make, first, second):
    model, alone, dy = make(), make(), gradient(second[0])
    model.forward(data(first[0], seed=1)[0].astype(first[1]))
    for one in (model, alone):
        one.forward(data(second[0], seed=2)[0].astype(second[1]))
        one.backward(dy)
    assert np.array_equal(model.grads, alone.grads) and np.abs(model.grads).max() > 0
    for n in (first[0], second[0]):
        with pytest.raises(RuntimeError):
            model.backward(gradient(n))


@each_kind
def test_predict_does_not_disturb_a_pending_backward(make):
    x, dy = data(8)[0], gradient(8)
    model, alone = make(), make()
    alone.forward(x)
    alone.backward(dy)
    y = model.forward(x)
    before = y.copy()
    for n in (8, 5, 1000, 3000):  # 8: the same buffers, if they were shared
        model.predict(data(n, seed=3)[0])
    assert np.array_equal(y, before)
    model.backward(dy)
    assert np.array_equal(model.grads, alone.grads)


# --- the gradient


@each_kind
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(1, 3), (4, 1), (4,), (3, 3), (4, 3, 1), ()])
def test_a_gradient_of_another_shape_is_refused_and_the_backward_stays_pending(make, shape, dtype):
    model, alone, x = make(), make(), data(4)[0]
    model.forward(x)
    with pytest.raises(ValueError, match=r"does not fit the output \(4, 3\)"):
        model.backward(np.ones(shape, dtype))
    model.backward(gradient(4))
    alone.forward(x)
    alone.backward(gradient(4))
    assert np.array_equal(model.grads, alone.grads)


@each_kind
def test_backward_overwrites(make):
    model, x = make(), data(4)[0]
    results = []
    for _ in range(2):
        model.forward(x)
        model.backward(gradient(4))
        results.append(model.grads.copy())
    assert np.array_equal(*results) and np.abs(results[0]).max() > 0.01


@each_kind
def test_dx_is_given_only_when_asked_for(make):
    model, x = make(), data(4)[0]
    model.forward(x)
    assert model.backward(gradient(4)) is None
    grads = model.grads.copy()
    model.forward(x)
    dx = model.backward(gradient(4), need_dx=True)
    assert dx.shape == x.shape and np.abs(dx).max() > 0 and np.array_equal(model.grads, grads)


def test_without_dx_nothing_below_the_lowest_trained_layer_runs():
    class Silent(layers.Flatten):
        def backward(self, dy, need_dx=True):
            raise AssertionError("nobody asked for dx")

    model = Sequential([Silent(input_shape=(3,)), layers.Dense(2)])
    model.forward(np.ones((1, 3)))
    assert model.backward(np.ones((1, 2))) is None
    untrained = Sequential([layers.Flatten(input_shape=(3,))])
    untrained.forward(np.ones((1, 3)))
    assert untrained.backward(np.ones((1, 3))) is None


# --- inputs


@each_kind
@pytest.mark.parametrize("shape", [(2, 6, 6), (6, 6, 2), (2, 6, 6, 3), (2, 72), (2, 6, 6, 2, 1), ()])
def test_inputs_of_another_shape_are_refused_with_both_shapes(make, shape):
    model = make()
    for step in (model.predict, model.forward):
        with pytest.raises(ValueError, match=r"reads \(N, 6, 6, 2\), not \("):
            step(np.ones(shape, np.float32))


@each_kind
def test_a_batch_size_of_zero_is_refused(make):
    with pytest.raises(ValueError, match="batch_size"):
        make().predict(data(4)[0], batch_size=0)


# --- the arrays that come back


@each_kind
@pytest.mark.parametrize("n", [0, 1, 4, 5, 11])
def test_predict_in_pieces_is_predict_at_once(make, n):
    model, x = make(), data(11)[0][:n]
    expected = np.array([model.predict(row[None])[0] for row in x]).reshape(n, 3)
    np.testing.assert_allclose(model.predict(x, batch_size=4), expected, rtol=1e-5)
    assert len(np.unique(model.predict(x, batch_size=2)[:, 0])) == n


@each_kind
def test_a_large_prediction_has_the_rows_of_the_small_ones(make):
    model, x = make(), data(2500)[0]
    y = model.predict(x)
    for row in (0, 255, 256, 1023, 1024, 2499):
        np.testing.assert_allclose(y[row], model.predict(x[row : row + 1])[0], rtol=1e-4, atol=1e-6)


@each_kind
def test_without_the_activation_predict_gives_the_logits(make):
    model, x = make(), data(300)[0]
    odds = np.exp(model.predict(x, logits=True))
    np.testing.assert_allclose(odds / odds.sum(1, keepdims=True), model.predict(x), rtol=1e-4, atol=1e-7)
    assert not np.allclose(odds, model.predict(x))


@each_kind
@pytest.mark.parametrize("n", [1, 4, 300])
def test_predictions_are_new_arrays(make, n):
    model, x = make(), data(n)[0]
    held = [model.predict(x + shift) for shift in range(5)]
    kept = [y.copy() for y in held]
    rows = [y[0] for y in held]  # a view alone must keep its numbers, too
    held[0][1:] = 7  # the caller may write
    del held
    for shift in range(20):
        model.predict(x - shift)
    assert all(np.array_equal(row, copy[0]) for row, copy in zip(rows, kept)) and len(np.unique(rows)) > 10


@each_kind
def test_forward_gives_one_buffer_for_each_batch_size(make):
    model, two, nine = make(), data(2)[0], data(9)[0]
    first = model.forward(two)
    assert not np.shares_memory(model.forward(nine), first)
    assert np.shares_memory(model.forward(two), first)


@each_kind
def test_training_and_predicting_keep_no_memory_from_step_to_step(make):
    model, one, many = make(), data(1)[0], data(64)[0]

    def step():
        model.predict(one), model.predict(many), model.forward(many), model.backward(gradient(64), True)

    for _ in range(100):
        step()
    tracemalloc.start()
    for _ in range(300):
        step()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 20_000  # 64 rows of x alone are 18,432 bytes
