"""One model that several Python threads call: each answer is right, or there is a clear error."""

import threading
from functools import partial

import numpy as np
import pytest

from nnlite import Sequential, layers, optimizers
from tests.processes import run_at_once


def small(seed=0):
    """Compiled passes that keep the GIL."""
    return Sequential([layers.Dense(16, "tanh", input_shape=(4,)), layers.Dense(2, "softmax")], seed=seed)


def middle(seed=0):
    """Compiled passes that release the GIL."""
    first = layers.Dense(96, "relu", input_shape=(64,))
    return Sequential([first, layers.Dense(96, "tanh"), layers.Dense(2, "softmax")], seed=seed)


def wide(seed=0):
    """Too large for the compiled passes."""
    return Sequential([layers.Dense(700, "relu", input_shape=(300,)), layers.Dense(9, "softmax")], seed=seed)


def image(seed=0):
    """Convolution, normalization and pooling."""
    chain = [layers.Conv2D(16, 3, activation="relu", input_shape=(12, 12, 2)), layers.BatchNormalization()]
    chain += [layers.MaxPooling2D(), layers.Flatten(), layers.Dense(3, "softmax")]
    return Sequential(chain, seed=seed)


MODELS = [small, middle, wide, image]


def inputs(model, threads=4, rows=40):
    rng = np.random.default_rng(0)
    return [rng.standard_normal((rows, *model.input_shape)).astype("f4") for _ in range(threads)]


@pytest.mark.parametrize("rows", [None, 7])
@pytest.mark.parametrize("make", MODELS)
def test_predictions_of_one_model_in_four_threads(make, rows):
    model = make().build()
    batches = [x if rows is None else x[: rows + i] for i, x in enumerate(inputs(model, rows=300))]
    expected = [model.predict(x) for x in batches]

    def wrong(x, right):
        return sum(not np.array_equal(model.predict(x), right) for _ in range(60))

    jobs = [lambda x=x, right=right: wrong(x, right) for x, right in zip(batches, expected)]
    assert run_at_once(*jobs) == [0] * 4


@pytest.mark.parametrize("make", MODELS)
def test_evaluations_of_one_model_in_four_threads(make):
    model = make().build()
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    cases = [(x, np.eye(model.output_shape[0])[np.arange(len(x)) % 2]) for x in inputs(model)]
    expected = [model.evaluate(*case) for case in cases]

    def wrong(case, right):
        return sum(model.evaluate(*case) != right for _ in range(30))

    jobs = [lambda case=case, right=right: wrong(case, right) for case, right in zip(cases, expected)]
    assert run_at_once(*jobs) == [0] * 4


@pytest.mark.parametrize("make", MODELS)
def test_steps_of_two_threads_are_done_one_after_the_other(make):
    """SGD on a loss that is linear in the output: the order of the steps changes nothing but rounding."""

    def trained(run):
        model = make()
        model.build()
        x = inputs(model, 1, 16)[0]
        y = np.eye(model.output_shape[0])[np.arange(16) % 2]
        model.compile(optimizers.SGD(1e-4), "categorical_crossentropy")
        jobs = [lambda: [model.train_on_batch(x, y) for _ in range(20)]] * 2
        run(*jobs)
        assert model.optimizer.iterations == 40
        return model.params

    one_by_one = trained(lambda *jobs: [job() for job in jobs])
    assert np.array_equal(trained(run_at_once), one_by_one)  # both threads take the same steps


@pytest.mark.parametrize("change", ["set_weights", "copy_from", "step"])
@pytest.mark.parametrize("make", MODELS)
def test_a_prediction_belongs_to_all_weights_of_one_moment(make, change):
    """Another thread exchanges the weights again and again: there are two right answers, and no mixture."""
    model, one, other = make().build(), make(1).build(), make(2).build()
    for each in (one, other):
        each.params[...] = np.round(each.params * 1024) / 1024  # so that sums and differences are exact
    x = inputs(model, 1, 2)[0]
    right = {one.predict(x).tobytes(), other.predict(x).tobytes()}
    optimizer = optimizers.SGD(1.0).bind(model.params, model.grads, model.variables)
    model.copy_from(one)
    model.grads[...] = one.params - other.params
    done, seen = threading.Event(), set()

    def exchange():
        for index in range(80):
            target = (other, one)[index % 2]
            if change == "set_weights":
                model.set_weights(target.get_weights())
            elif change == "copy_from":
                model.copy_from(target)
            else:
                optimizer.step()
                np.negative(model.grads, out=model.grads)
        done.set()

    def watch():
        while not done.is_set():
            seen.add(model.predict(x).tobytes())

    run_at_once(exchange, watch)
    assert len(right) == 2 and seen and seen <= right


@pytest.mark.parametrize("make", MODELS)
def test_a_backward_of_another_threads_forward_is_refused(make):
    model = make().build()
    mine, theirs = inputs(model, 2, 6)
    y = model.forward(mine)
    run_at_once(lambda: model.forward(theirs))
    with pytest.raises(RuntimeError, match="a forward of the same thread"):
        model.backward(np.ones_like(y))
    y = model.forward(mine)
    model.backward(np.ones_like(y))
    expected = model.grads.copy()
    y = model.forward(mine)
    run_at_once(lambda: model.predict(theirs))  # a prediction disturbs nothing
    model.backward(np.ones_like(y))
    assert np.array_equal(model.grads, expected)


def test_two_threads_build_one_model():
    x = np.ones((3, 5), "f4")
    for _ in range(20):
        model = Sequential([layers.Dense(8), layers.Dense(2)], seed=0)
        first, second = run_at_once(*[partial(model.predict, x)] * 2)
        assert np.array_equal(first, second) and np.array_equal(first, model.predict(x))
