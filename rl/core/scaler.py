"""Normalise observations and rewards by running statistics, as Stable-Baselines3's VecNormalize does."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from nnlite import Sequential, clone_model
from nnlite.arrays import Array
from nnlite.layers import Dense
from rl.command.errors import require

LARGEST_REWARD = 10.0  # a normalised reward is clipped to [-10, 10]
SMALLEST_VARIANCE = 1e-8  # of returns that are all equal: no division by 0


class Moments:
    """Mean and variance of all values seen so far, column by column.

    count     rows seen
    mean      (D,) float64
    variance  (D,) float64, divided by `count`

    Source: Chan, Golub & LeVeque 1979, eq. 2.1 (how the moments of two parts are joined).
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean = self.variance = np.zeros(0)

    def update(self, rows: Array) -> None:
        """Take in rows (N, D)."""
        mean, variance = rows.mean(axis=0, dtype=np.float64), rows.var(axis=0, dtype=np.float64)
        if not self.count:
            self.count, self.mean, self.variance = len(rows), mean, variance
            return
        total = self.count + len(rows)
        share, apart = len(rows) / total, mean - self.mean
        self.variance = self.variance + share * (variance - self.variance) + share * (1 - share) * apart**2
        self.mean = self.mean + share * apart
        self.count = total

    def get_state(self) -> dict[str, Any]:
        """Return the three values."""
        return {"count": self.count, "mean": self.mean, "variance": self.variance}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state of `get_state`."""
        self.count = int(state["count"])
        self.mean, self.variance = (np.array(state[name], np.float64) for name in ("mean", "variance"))


class Scaler:
    """z = (x - mean) / deviation for vectors (N, D) float32. Before `update`, observations pass unchanged.

    It scales the input of a network. `fold_into` merges both into one network, to save it.

    active  False: `update` does nothing, so observations pass unchanged
    """

    def __init__(self, active: bool = True) -> None:
        self.active = active
        self.moments = Moments()
        self.mean = self.deviation = np.zeros(0, np.float32)

    @property
    def fitted(self) -> bool:
        """Whether mean and deviation are known."""
        return len(self.mean) > 0

    def update(self, observations: Array) -> None:
        """Take vectors (N, D) into mean and deviation; a constant feature is only centred."""
        if self.active:
            self.moments.update(observations)
            self._set()

    def _set(self) -> None:
        self.mean = self.moments.mean.astype(np.float32)
        deviation = np.sqrt(self.moments.variance).astype(np.float32)
        self.deviation = np.where(deviation > 0, deviation, np.float32(1))

    def __call__(self, observations: Array) -> Array:
        return (observations - self.mean) / self.deviation if self.fitted else observations

    def stop(self) -> None:
        """Let observations pass unchanged from now on: for a network that holds its scale already."""
        self.set_state({"active": False, "moments": Moments().get_state()})

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

    def get_state(self) -> dict[str, Any]:
        """Return whether it is active, and its moments."""
        return {"active": self.active, "moments": self.moments.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state of `get_state`."""
        self.active = bool(state["active"])
        self.moments.set_state(state["moments"])
        self._set()


class RewardScaler:
    """Rewards of N games, divided by the running deviation of their discounted returns, and clipped.

        R = gamma R + r,  r' = clip(r / sqrt(Var R), -10, 10);  R starts again at 0 after a game's end

    Source: Engstrom et al. 2020, section 3 (what PPO's implementations do).
    """

    def __init__(self, num_envs: int, gamma: float) -> None:
        self.gamma = gamma
        self.returns = np.zeros(num_envs)
        self.moments = Moments()

    def __call__(self, rewards: Array, done: Array) -> Array:
        """Take in a step of all games, rewards and done (N,), and return the scaled rewards (N,)."""
        self.returns = self.gamma * self.returns + rewards
        self.moments.update(self.returns[:, None])
        self.returns[done] = 0
        deviation = np.sqrt(self.moments.variance[0] + SMALLEST_VARIANCE)
        return np.clip(rewards / deviation, -LARGEST_REWARD, LARGEST_REWARD)

    def get_state(self) -> dict[str, Any]:
        """Return the unfinished returns and the moments."""
        return {"returns": self.returns, "moments": self.moments.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state of `get_state`."""
        self.returns = np.array(state["returns"], np.float64)
        self.moments.set_state(state["moments"])


def make_scaler(active: bool, observations: spaces.Space[Any], model: Sequential) -> Scaler:
    """Make the scaler of a network's observations.

    Raises UsageError when it is to be active, and observations are screens or the network cannot hold it.
    """
    remedy = "give --no-normalize-observations"
    vectors = len(observations.shape or ()) == 1
    require(vectors or not active, "normalize_observations is for vectors, and these are screens", remedy)
    what = f"the network begins with {model.layers[0].name}, and only Dense with a bias can hold a scale"
    require(not active or takes_a_scale(model), what, remedy)
    return Scaler(active)


def takes_a_scale(model: Sequential) -> bool:
    """Return whether `fold_into` can merge a scaler into the network."""
    first = model.layers[0]
    return isinstance(first, Dense) and first.b is not None
