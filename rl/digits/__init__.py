"""Neural networks 4: handwritten digits and a convolutional network.

Question: can a network read digits of 8 x 8 pixels? Convolutions made learning from a screen possible: this
is the smallest one that does something.

Method: Conv2D(5, 3) and Conv2D(3, 2), both "same" and relu, Flatten, Dense(10, softmax); stochastic gradient
descent on the cross-entropy, 10 epochs, a third of the images held out. `--recipe best` takes the same images
and more care: 16 and twice 32 filters, Dropout, Adam with a falling step size, and every image moved by up to
one pixel, anew each epoch.

Source: the article "neural networks 4"; data: scikit-learn's load_digits (1797 images, UCI).

Expected: about 92.5 % of the images held out are read correctly, 93.43 % in the article; about 99 % with
`--recipe best`. docs/results/digits.md has the figures.

Differences from the listing: a seed; progress shows the accuracy too; pictures of the confusion matrix and of
every digit misread, because 93 % does not tell which; `--recipe best`. Network, loss, optimizer and epochs
are the listing's.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

import nnlite as K
from nnlite.arrays import Array
from rl.command.errors import require
from rl.command.settings import Settings as CommonSettings
from rl.command.settings import require_at_least
from rl.digits.data import CLASSES, DARKEST, IMAGE, load

EPOCHS = {"article": 10, "best": 40}


@dataclass(frozen=True)
class Settings(CommonSettings):
    """Handwritten digits and a convolutional network."""

    recipe: Literal["article", "best"] = "article"
    """the listing's network and training, or one that reads better"""
    epochs: int = 0
    """passes over the training part; 0 = the recipe's own: 10 or 40"""
    batch_size: int = 32
    """images of one step"""
    test_size: float = 0.33
    """share of the images that is held out"""

    def validate(self) -> None:
        super().validate()
        require_at_least(self, "epochs", 0)
        require_at_least(self, "batch_size", 1)
        require(0 < self.test_size < 1, f"--test-size is {self.test_size}", "give a share between 0 and 1")


def article_model(rng: np.random.Generator) -> K.Sequential:
    """Make the listing's network: 8x8x1 -> 8x8x5 -> 8x8x3 -> 192 -> 10."""
    model = K.Sequential(
        [
            K.layers.Conv2D(
                5, kernel_size=3, strides=1, padding="same", input_shape=IMAGE, activation="relu"
            ),
            K.layers.Conv2D(3, kernel_size=2, strides=1, padding="same", activation="relu"),
            K.layers.Flatten(),
            K.layers.Dense(units=CLASSES, activation="softmax"),
        ],
        seed=rng,
    )
    model.compile(loss="categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    return model


def best_model(rng: np.random.Generator) -> K.Sequential:
    """Make the better network: 8x8x1 -> 8x8x16 -> 4x4x32 -> 4x4x32 -> 512 -> 10, pixels in [0, 1]."""
    settings: dict[str, Any] = {
        "kernel_size": 3,
        "padding": "same",
        "activation": "relu",
        "kernel_initializer": "he_normal",
    }
    model = K.Sequential(
        [
            K.layers.Rescaling(1 / DARKEST, input_shape=IMAGE),
            K.layers.Conv2D(16, **settings),
            K.layers.Conv2D(32, strides=2, **settings),
            K.layers.Conv2D(32, **settings),
            K.layers.Flatten(),
            K.layers.Dropout(0.3),
            K.layers.Dense(units=CLASSES, activation="softmax"),
        ],
        seed=rng,
    )
    model.compile(loss="categorical_crossentropy", optimizer=K.optimizers.Adam(2e-3), metrics=["accuracy"])
    return model


def move_images(images: Array, rng: np.random.Generator) -> Array:
    """Move each image (8, 8, 1) by -1, 0 or 1 pixel along both axes; fill gaps with white.

    With chance 1/2 an image is not moved vertically.
    """
    n, height, width, _ = images.shape
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    down, right = rng.integers(0, 3, (2, n))  # 1: not moved
    down = np.where(rng.random(n) < 0.5, 1, down)
    rows, columns = down[:, None] + np.arange(height), right[:, None] + np.arange(width)
    return padded[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]


def train_with_care(
    model: K.Sequential,
    x: Array,
    y: Array,
    epochs: int,
    batch_size: int,
    rng: np.random.Generator,
    verbose: int,
) -> None:
    """Train on newly moved images each epoch, with a step size that falls to 0 along half a cosine."""
    start = model.optimizer.learning_rate
    for epoch in range(epochs):
        model.optimizer.learning_rate = start * (1 + np.cos(np.pi * epoch / epochs)) / 2
        history = model.fit(move_images(x, rng), y, batch_size=batch_size, verbose=0, seed=rng).history
        if verbose:
            print(
                f"Epoch {epoch + 1}/{epochs} - loss: {history['loss'][0]:.4f} - accuracy: "
                f"{history['accuracy'][0]:.4f}",
                flush=True,
            )


@dataclass
class Result:
    """The part held out, as the network read it.

    images         (N, 8, 8, 1)
    actual         (N,)     the true digits
    probabilities  (N, 10)  of the network
    seconds        of training
    """

    images: Array
    actual: Array
    probabilities: Array
    model: K.Sequential
    seconds: float

    @property
    def predicted(self) -> Array:
        """The digits read, (N,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def accuracy(self) -> float:
        """Share of the images read correctly."""
        return float(np.mean(self.predicted == self.actual))


def learn(settings: Settings, verbose: int = 1) -> Result:
    """Split, train, read the held-out images."""
    settings.validate()
    weights_rng, split_rng, order_rng = np.random.default_rng(settings.seed).spawn(3)
    x_train, x_test, y_train, y_test = load(settings.test_size, split_rng)
    epochs = settings.epochs or EPOCHS[settings.recipe]
    begin = time.perf_counter()
    if settings.recipe == "article":
        model = article_model(weights_rng)
        model.fit(x_train, y_train, settings.batch_size, epochs, verbose, seed=order_rng)
    else:
        model = best_model(weights_rng)
        train_with_care(model, x_train, y_train, epochs, settings.batch_size, order_rng, verbose)
    seconds = time.perf_counter() - begin
    return Result(x_test, y_test.argmax(axis=1), model.predict(x_test), model, seconds)
