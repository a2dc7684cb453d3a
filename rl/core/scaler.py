"""Scaler: observations standardised feature by feature, as scikit-learn's StandardScaler does it for the
articles.
"""

from __future__ import annotations

import numpy as np

from nnlite import Sequential, clone_model
from nnlite.arrays import Array
from nnlite.layers import Dense


class Scaler:
    """z = (x - mean) / deviation for vectors (N, D) float32; what it was not fitted to, screens above all,
    passes unchanged.

    It stands before a network and is fitted once. A file should hold one network that reads what the
    environment shows: `folded` makes it.
    """

    def __init__(self) -> None:
        self.mean = self.deviation = np.zeros(0, np.float32)

    @property
    def fitted(self) -> bool:
        return len(self.mean) > 0

    def fit(self, observations: Array) -> None:
        """Take mean and deviation of vectors (N, D); a feature that never varied is only centred.

        Anything else is left alone.
        """
        if observations.ndim != 2:
            return
        self.mean = observations.mean(axis=0, dtype=np.float64).astype(np.float32)
        deviation = observations.std(axis=0, dtype=np.float64).astype(np.float32)
        self.deviation = np.where(deviation > 0, deviation, np.float32(1))

    def __call__(self, observations: Array) -> Array:
        return (observations - self.mean) / self.deviation if self.fitted else observations

    def forget(self) -> None:
        """Be as new: nothing is scaled."""
        self.mean = self.deviation = np.zeros(0, np.float32)

    def folded(self, model: Sequential) -> Sequential:
        """The network f' with f'(x) = f(scaled x): for a first layer (x - m) / d @ W + b = x @ (W / d) + (b
        - m / d @ W).
        """
        if not self.fitted:
            return model
        whole = clone_model(model, seed=0)
        whole.copy_from(model)
        first = whole.layers[0]
        if not isinstance(first, Dense) or first.b is None:
            raise ValueError(f"only a Dense layer with a bias can take a scaler in, not {first.name}")
        first.b -= (self.mean / self.deviation) @ first.W
        first.W /= self.deviation[:, None]
        return whole

    def get_state(self) -> dict[str, Array]:
        """Mean and deviation; of size 0 before they are known."""
        return {"mean": self.mean, "deviation": self.deviation}

    def set_state(self, state: dict[str, Array]) -> None:
        """Take over what get_state gave."""
        self.mean, self.deviation = (np.array(state[name], np.float32) for name in ("mean", "deviation"))
