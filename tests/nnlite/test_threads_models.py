"""Models that run in several Python threads at once compute, bit for bit, the same as each alone."""

import threading

import numpy as np
import pytest
from nnlite_ext import _threads

from nnlite import Sequential, layers, optimizers


@pytest.fixture(params=[1, 2], ids=["1 kernel thread", "2 kernel threads"])
def kernel_threads(request):
    before = _threads.get_num_threads()
    _threads.set_num_threads(request.param)
    yield
    _threads.set_num_threads(before)


def small(seed):
    """Runs in the compiled passes, which keep the GIL for so few numbers."""
    return Sequential([layers.Dense(16, "tanh", input_shape=(4,)), layers.Dense(2, "softmax")], seed=seed)


def middle(seed):
    """Runs in the compiled passes, which release the GIL."""
    return Sequential(
        [layers.Dense(96, "relu", input_shape=(64,)), layers.Dense(96, "tanh"), layers.Dense(2, "softmax")],
        seed=seed,
    )


def image(seed):
    """Convolutions split between the kernels' threads, and all layers in NumPy."""
    return Sequential(
        [
            layers.Rescaling(1 / 255, input_shape=(28, 28, 4)),
            layers.Conv2D(16, 8, strides=4, padding="same", activation="relu"),
            layers.Conv2D(32, 4, strides=2, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(600, "relu"),
            layers.Dense(2, "softmax"),
        ],
        seed=seed,
    )


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
    start, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def work(index):
        start.wait()
        results[index] = trained(*jobs[index])

    workers = [threading.Thread(target=work, args=(index,)) for index in range(len(jobs))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return results


@pytest.mark.parametrize(
    "jobs",
    [
        [("small", 0), ("small", 1)],
        [("middle", 0), ("middle", 1)],
        [("image", 0), ("image", 1)],
        [("small", 2), ("middle", 2), ("image", 2), ("image", 3)],
    ],
    ids=lambda jobs: " ".join(kind for kind, _ in jobs),
)
def test_models_in_threads_give_what_they_give_alone(jobs, kernel_threads):
    alone = [trained(*job) for job in jobs]
    for result, expected in zip(at_once(jobs), alone):
        assert result == expected


def test_the_number_of_kernel_threads_changes_nothing():
    before = _threads.get_num_threads()
    try:
        results = []
        for count in (1, 2, 3):
            _threads.set_num_threads(count)
            results.append([trained(kind, 5) for kind in MAKE])
    finally:
        _threads.set_num_threads(before)
    assert results[1] == results[0]
    assert results[2] == results[0]


def test_one_model_is_predicted_from_many_threads_while_another_learns():
    """If two models shared memory, the predictions of the first would change."""
    still, x = middle(7).build(), np.random.default_rng(7).standard_normal((64, 64)).astype(np.float32)
    expected, wrong = still.predict(x), []
    stop = threading.Event()

    def watch():
        while not stop.is_set():
            wrong.extend([1] if not np.array_equal(still.predict(x), expected) else [])

    watcher = threading.Thread(target=watch)
    watcher.start()
    results = at_once([("middle", 8), ("small", 8)])
    stop.set()
    watcher.join()
    assert not wrong
    assert results == [trained("middle", 8), trained("small", 8)]
