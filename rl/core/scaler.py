"""Standardise observations feature by feature, like scikit-learn's StandardScaler in the articles."""

from __future__ import annotations

import numpy as np

from nnlite import Sequential, clone_model
from nnlite.arrays import Array
from nnlite.layers import Dense


class Scaler:
    """z = (x - mean) / deviation for vectors (N, D) float32. Before `fit`, observations pass unchanged.

    It scales the input of a network and is fitted once. `fold_into` merges both into one network, to save it.
    """

    def __init__(self) -> None:
        self.mean = self.deviation = np.zeros(0, np.float32)

    @property
    def fitted(self) -> bool:
        """Whether mean and deviation are known."""
        return len(self.mean) > 0

    def fit(self, observations: Array) -> None:
        """Compute mean and deviation of vectors (N, D); a constant feature is only centred.

        Observations of another shape (screens) are not scaled: the scaler stays as it is.
        """
        if observations.ndim != 2:
            return
        self.mean = observations.mean(axis=0, dtype=np.float64).astype(np.float32)
        deviation = observations.std(axis=0, dtype=np.float64).astype(np.float32)
        self.deviation = np.where(deviation > 0, deviation, np.float32(1))

    def __call__(self, observations: Array) -> Array:
        return (observations - self.mean) / self.deviation if self.fitted else observations

    def reset(self) -> None:
        """Remove mean and deviation: observations pass unchanged again."""
        self.mean = self.deviation = np.zeros(0, np.float32)

    def fold_into(self, model: Sequential) -> Sequential:
        """Return the network f' with f'(x) = f(scaled x).

        Its first layer is (x - m) / d @ W + b = x @ (W / d) + (b - m / d @ W). Raises ValueError unless
        that layer is a Dense layer with a bias.
        """
        if not self.fitted:
            return model
        whole = clone_model(model, seed=0)
        whole.copy_from(model)
        first = whole.layers[0]
        if not isinstance(first, Dense) or first.b is None:
            raise ValueError(f"a scaler folds only into a Dense layer with a bias, not into {first.name}")
        first.b -= (self.mean / self.deviation) @ first.W
        first.W /= self.deviation[:, None]
        return whole

    def get_state(self) -> dict[str, Array]:
        """Return mean and deviation; arrays of size 0 before `fit`."""
        return {"mean": self.mean, "deviation": self.deviation}

    def set_state(self, state: dict[str, Array]) -> None:
        """Restore the state of `get_state`."""
        self.mean, self.deviation = (np.array(state[name], np.float32) for name in ("mean", "deviation"))
