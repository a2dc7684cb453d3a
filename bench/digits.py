"""How long does the whole training of the digits article take?

Workload: `python -m rl.digits`: 1,203 images of 8x8, two small convolutions, 10 epochs of stochastic gradient
descent in batches of 32, from the initial weights to the last step. Our side is `article_model` and `fit`.
The rate counts images. The peers hold the images as their own tensors and shuffle by index. They compute no
accuracy during training; `fit` does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from bench.harness import compare
from bench.questions import Options, Question, Row, Side, Work

EPOCHS, STEP_SIZE, HELD_OUT = 10, 0.01, 0.33


def training_data() -> tuple[np.ndarray, np.ndarray]:
    """Load images (1203, 8, 8, 1) float32 and their digits (1203,) int64."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    count = len(pixels) - math.ceil(len(pixels) * HELD_OUT)
    return pixels[:count].reshape(-1, 8, 8, 1).astype(np.float32), labels[:count].astype(np.int64)


def orders(count: int) -> Iterator[np.ndarray]:
    """Draw a new order of the images for each epoch."""
    rng = np.random.default_rng(0)
    return (rng.permutation(count) for _ in range(EPOCHS))


def ours(threads: int) -> Work:
    """Compile and fit the article's model."""
    import nnlite as K
    from bench.ours import use_threads
    from rl.digits import article_model

    use_threads(threads)
    x, labels = training_data()
    y = K.utils.to_categorical(labels, 10)

    def fit() -> object:
        return article_model(np.random.default_rng(0)).fit(
            x, y, batch_size=32, epochs=EPOCHS, verbose=0, seed=0
        )

    return Work(fit, EPOCHS * len(x), article_model(np.random.default_rng(0)).build().params.size)


def question(id: str, peer: str, target: float, sides: tuple[Side, ...]) -> Question:
    mine = Side("nnlite", "bench.digits:ours")
    return Question(
        id,
        "digits",
        f"digits article, 10 epochs, beside {peer}",
        "images/s",
        (mine, *sides),
        target={1: target},
        threads=(1,),
    )


QUESTIONS = (
    question(
        "W6",
        "JAX",
        4.0,
        tuple(
            Side(f"jax jit, by {form}", "bench.peers_jax:digits", (form,), ("jax",))
            for form in ("step", "epoch")
        ),
    ),
    question(
        "W6t",
        "PyTorch",
        9.0,
        tuple(
            Side(f"torch {form}", "bench.peers_torch:digits", (form,), ("torch",))
            for form in ("eager", "compiled")
        ),
    ),
)


def run(options: Options) -> list[Row]:
    return [row for one in QUESTIONS for row in compare(one, options)]
