"""Encoders: wrappers that turn labels, numbers of any type, and several values into vectors for a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.spaces.utils import flatdim, flatten
from gymnasium.vector import VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space, iterate

from nnlite.arrays import Array
from rl.command.errors import UsageError, require
from rl.envs.misfit import misfit


class Encoder(VectorWrapper):
    """Observations of N games -> vectors (N, D) float32. A subclass says how.

    `encode` is for a user's observations and refuses wrong ones; the others are for the environment's.

    size  D
    """

    def __init__(self, env: VectorEnv, size: tuple[int, ...]) -> None:
        super().__init__(env)
        self.single_observation_space = spaces.Box(-np.inf, np.inf, size, np.float32)
        self.observation_space = batch_space(self.single_observation_space, env.num_envs)

    def encode(self, observations: Any) -> Array:
        """Return the vectors (..., D) of one observation, or of several."""
        raise NotImplementedError(f"{type(self).__name__} has no encode")

    def encode_all(self, observations: Any) -> Array:
        """Return the vectors (N, D) of the observations of all games."""
        return self.encode(observations)

    def encode_one(self, observation: Any) -> Array:
        """Return the vector (D,) of one game's observation."""
        return self.encode(observation)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        observations, info = self.env.reset(seed=seed, options=options)
        return self.encode_all(observations), info

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        observations, rewards, terminated, truncated, info = self.env.step(actions)
        if info and (ended := terminated | truncated).any():
            last = np.zeros(self.observation_space.shape or (), np.float32)
            for game in np.flatnonzero(ended):
                last[game] = self.encode_one(info["final_obs"][game])
            info["final_obs"] = last
        return self.encode_all(observations), rewards, terminated, truncated, info

    def get_state(self) -> dict[str, Any]:
        """Return the state of the environment."""
        return self.env.get_state()  # type: ignore[attr-defined]

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state of `get_state`."""
        self.env.set_state(state)  # type: ignore[attr-defined]

    def observe(self) -> Array:
        """Return the current observations, without a step."""
        return self.encode_all(self.env.observe())  # type: ignore[attr-defined]


class OneHotObserver(Encoder):
    """Labels start .. start + n - 1 of Discrete(n, start=start) -> one-hot rows (N, n) float32."""

    def __init__(self, env: VectorEnv) -> None:
        labels: Any = env.single_observation_space
        self._labels, self._start = labels, int(labels.start)
        self._rows = np.eye(int(labels.n), dtype=np.float32)
        super().__init__(env, (len(self._rows),))

    def encode(self, labels: Any) -> Array:
        """Return one-hot rows (..., n) of labels (...). Raises ValueError for a label out of the space."""
        places = np.asarray(labels) - self._start
        if places.dtype.kind not in "iu" or (places < 0).any() or (places >= len(self._rows)).any():
            raise ValueError(f"{labels} is not in {self._labels}")
        return self._rows[places]

    def encode_all(self, labels: Any) -> Array:
        return self._rows[labels - self._start]

    def encode_one(self, label: Any) -> Array:
        return self._rows[int(label) - self._start]


class NumberObserver(Encoder):
    """Numbers of any type -> float32. One that is too large becomes infinite, which the guards refuse."""

    def __init__(self, env: VectorEnv) -> None:
        super().__init__(env, env.single_observation_space.shape or ())

    def encode(self, observations: Any) -> Array:
        with np.errstate(over="ignore"):
            return np.asarray(observations).astype(np.float32)


class FlatObserver(Encoder):
    """Dict, Tuple, MultiDiscrete and MultiBinary -> vectors, as gymnasium.spaces.flatten makes them.

    Labels become one-hot; the parts of a Dict follow each other in its order.
    """

    def __init__(self, env: VectorEnv) -> None:
        self._space = env.single_observation_space
        super().__init__(env, (flatdim(self._space),))

    def encode(self, observations: Any) -> Array:
        """Return the vector of one observation, or those of a sequence of them."""
        if not misfit(self._space, observations):
            return self.encode_one(observations)
        return np.stack([self.encode_one(one) for one in observations])

    def encode_all(self, observations: Any) -> Array:
        return np.stack([self.encode_one(one) for one in iterate(self.env.observation_space, observations)])

    def encode_one(self, observation: Any) -> Array:
        with np.errstate(over="ignore"):
            return np.asarray(flatten(self._space, observation)).astype(np.float32)


def is_flat(space: spaces.Space[Any]) -> bool:
    """Return whether observations are several numbers that one vector can hold, and none of them an image."""
    if isinstance(space, (spaces.Dict, spaces.Tuple)):
        parts = space.spaces.values() if isinstance(space, spaces.Dict) else space.spaces
        return len(parts) > 0 and all(_is_part(part) for part in parts)
    scalar = isinstance(space, spaces.Box) and space.shape == ()
    return scalar or isinstance(space, (spaces.MultiDiscrete, spaces.MultiBinary))


def _is_part(space: spaces.Space[Any]) -> bool:
    """Return whether a part of a Dict or Tuple can be flattened: labels, vectors, or more of them."""
    if isinstance(space, spaces.Box):
        return len(space.shape) < 2
    return isinstance(space, spaces.Discrete) or is_flat(space)


def read_batch(
    observation: Any, encode: Callable[[Any], Array], shape: tuple[int, ...]
) -> tuple[Array, bool]:
    """Return a batch (N, ...) of what a user gives, and whether that was one observation: then N is 1.

    shape  of one observation as the network reads it

    Raises UsageError when it is neither one observation nor a batch of them.
    """
    try:
        given = encode(observation)
    except (ValueError, TypeError, IndexError) as problem:
        what = f"the observation is no array of its space: {problem}"
        raise UsageError(what, "give the observation alone") from None
    single, what = given.shape == shape, f"the observation has shape {given.shape}"
    require(single or given.shape[1:] == shape, what, f"the agent reads {shape}, or a batch of them")
    return (given[None] if single else given), single
