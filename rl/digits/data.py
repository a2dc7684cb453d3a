"""The handwritten digits: scikit-learn's load_digits, 1797 images of the UCI repository."""

from __future__ import annotations

import numpy as np

from nnlite.arrays import Array
from nnlite.utils import to_categorical

IMAGE = (8, 8, 1)
CLASSES = 10
DARKEST = 16  # pixel values are 0 to 16


def load(test_size: float, rng: np.random.Generator) -> tuple[Array, Array, Array, Array]:
    """Split the images at random; `test_size` is the share held out, 0 to 1.

    Returns (x_train, x_test, y_train, y_test): images (N, 8, 8, 1) float64, one-hot digits (N, 10).
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, digits = load_digits(return_X_y=True)
    images, onehot = pixels.reshape(-1, *IMAGE), to_categorical(digits, CLASSES)
    parts = train_test_split(images, onehot, test_size=test_size, random_state=int(rng.integers(2**31)))
    x_train, x_test, y_train, y_test = parts
    return x_train, x_test, y_train, y_test
