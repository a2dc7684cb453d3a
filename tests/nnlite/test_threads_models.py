"""Models that run in several Python threads at once compute, bit for bit, the same as each alone."""

import numpy as np
import pytest
from nnlite_ext import _threads

from nnlite import Sequential, layers, optimizers
from tests.processes import run_at_once


def small(seed):
    """Runs in the compiled passes, which keep the GIL for so few numbers."""
    return Sequential([layers.Dense(16, "tanh", input_shape=(4,)), layers.Dense(2, "softmax")], seed=seed)


def middle(seed):
    """Runs in the compiled passes, which release the GIL."""
    first = layers.Dense(96, "relu", input_shape=(64,))
    return Sequential([first, layers.Dense(96, "tanh"), layers.Dense(2, "softmax")], seed=seed)


def image(seed):
    """Convolutions split between the kernels' threads, and all layers in NumPy."""
    convs = layers.Conv2D(16, 8, 4, "same", "relu"), layers.Conv2D(32, 4, 2, "same", "relu")
    chain = [layers.Rescaling(1 / 255, input_shape=(28, 28, 4)), *convs, layers.BatchNormalization()]
    chain += [layers.MaxPooling2D(), layers.Flatten(), layers.Dropout(0.2), layers.Dense(600, "relu")]
    return Sequential([*chain, layers.Dense(2, "softmax")], seed=seed)


MAKE = {"small": (small, 600, 16), "middle": (middle, 150, 64), "image": (image, 12, 16)}


def trained(kind, seed):
    """Train a model; return its arrays, losses and predictions as bytes."""
    make, steps, rows = MAKE[kind]
    model, rng = make(seed), np.random.default_rng(seed)
    model.compile(optimizers.Adam(0.003, global_clipnorm=1.0), "categorical_crossentropy")
    model.build()
    said = []
    for _ in range(steps):
        numbers = rng.integers(0, 256, (rows, *model.input_shape), np.uint8)
        x = numbers if kind == "image" else (numbers / np.float32(255)).astype(np.float32)
        said.append(model.train_on_batch(x, np.eye(2)[rng.integers(0, 2, rows)]))
        said.append(model.predict(x).tobytes())
    return model.params.tobytes(), model.state.tobytes(), model.grads.tobytes(), said


def at_once(jobs):
    """Run every job in a thread of its own, all started together; return their results."""
    return run_at_once(*(lambda job=job: trained(*job) for job in jobs))


JOBS = [[(kind, 0), (kind, 1)] for kind in MAKE] + [[*((kind, 2) for kind in MAKE), ("image", 3)]]


@pytest.mark.parametrize("kernel_threads", [1, 2])
@pytest.mark.parametrize("jobs", JOBS, ids=lambda jobs: " ".join(kind for kind, _ in jobs))
def test_models_in_threads_give_what_they_give_alone(jobs, kernel_threads):
    _threads.set_num_threads(kernel_threads)
    assert at_once(jobs) == [trained(*job) for job in jobs]


def test_the_number_of_kernel_threads_changes_nothing():
    results = []
    for count in (1, 2, 3):
        _threads.set_num_threads(count)
        results.append([trained(kind, 5) for kind in MAKE])
    assert results[1] == results[0] and results[2] == results[0]


def test_a_model_is_predicted_while_others_learn():
    """If two models shared memory, the predictions of the first would change."""
    still, x = middle(7).build(), np.random.default_rng(7).standard_normal((64, 64)).astype(np.float32)
    expected, learned = still.predict(x), []

    def learn(kind):
        learned.append(trained(kind, 8))
        return learned[-1]

    def watch():
        wrong = 0
        while len(learned) < 2:
            wrong += not np.array_equal(still.predict(x), expected)
        return wrong

    results = run_at_once(lambda: learn("middle"), lambda: learn("small"), watch)
    assert results == [trained("middle", 8), trained("small", 8), 0]
