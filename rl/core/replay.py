"""A replay buffer that stores every frame once; stacks and n-step returns are built when a batch is sampled.

50,000 steps of 80x80 bytes take 320 MB; as stacks of floats they would take 10 GB. Each of the N parallel
games writes into its own ring (ext/_replay.pyx describes a slot), so neighbours in a ring are neighbours in
time. The last observation of an episode takes its own slot: truncated returns are bootstrapped from it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from nnlite_ext import _replay

from nnlite.arrays import Array
from rl.core.networks import observation_shape
from rl.core.ring import Ring

TRIES = 1000  # slots drawn for one transition before `sample` gives up
TYPES = ("uint8", "float32", "float64", "int64")


class Batch(NamedTuple):
    """B transitions, in arrays that the next `sample` overwrites."""

    observations: Array  # (B, ...) at the start of the transition
    actions: Array  # (B,) int64
    returns: Array  # (B,) float32  sum over j < n of gamma^j r_j
    next_observations: Array  # (B, ...) n steps later, or the last one of a truncated episode
    discounts: Array  # (B,) float32  gamma^n; 0 where the episode terminated


class ReplayBuffer:
    """The last `capacity` steps of `num_envs` games.

    capacity   steps that it stores, over all games
    shape      of one observation; with stack > 1 the last axis is the stack and the type is bytes
    stack      frames in an observation, oldest first on the last axis
    n_step     rewards that a return sums
    gamma      discount per step

    Raises ValueError when the sizes do not fit together.
    """

    def __init__(
        self,
        capacity: int,
        num_envs: int,
        shape: tuple[int, ...],
        dtype: Any,
        stack: int = 1,
        n_step: int = 1,
        gamma: float = 0.99,
    ) -> None:
        length = capacity // num_envs
        if length <= n_step + stack:
            what = f"a replay of {capacity} steps for {num_envs} games"
            raise ValueError(f"{what} is shorter than n_step {n_step} + stack {stack} per game")
        if np.dtype(dtype).name not in TYPES:
            raise ValueError(f"a replay stores observations of {', '.join(TYPES)}, not {np.dtype(dtype)}")
        if stack > 1 and (np.dtype(dtype) != np.uint8 or shape[-1] != stack):
            raise ValueError(
                f"a stack of {stack} needs uint8 observations (..., {stack}), not {np.dtype(dtype)} {shape}"
            )
        self.stack, self.n_step, self.gamma = stack, n_step, gamma
        self.shape, self.dtype = tuple(shape), np.dtype(dtype).newbyteorder("=")
        self.num_envs, self.length = num_envs, length
        frame_shape = self.shape[:-1] if stack > 1 else self.shape
        self.frames = np.zeros((num_envs * length, *frame_shape), self.dtype)
        self.kind = np.zeros((num_envs, length), np.uint8)
        self.age = np.zeros((num_envs, length), np.uint8)
        self.actions = np.zeros((num_envs, length), np.int64)
        self.rewards = np.zeros((num_envs, length), np.float32)
        self.written = np.zeros(num_envs, np.int64)  # slots ever written; tells a checkpoint the new blocks
        self.played = np.zeros(num_envs, np.int64)  # steps of the current games
        frame_bytes = self.frames.view(np.uint8).reshape(num_envs * length, -1)
        slots = frame_bytes, self.kind, self.age, self.actions, self.rewards
        batch_shape = (num_envs, *self.shape)
        self._rings = _replay.Rings(batch_shape, self.dtype.name, *slots, self.written, self.played, stack)
        self._batches: dict[int, tuple[Batch, Any]] = {}

    def __len__(self) -> int:
        """Slots in use."""
        return int(np.minimum(self.written, self.length).sum())

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(a.nbytes for a in (self.frames, self.kind, self.age, self.actions, self.rewards))

    def add(
        self,
        observations: Array,
        actions: Array,
        rewards: Array,
        ends: Array,
        stops: Array,
        next_observations: Array,
    ) -> None:
        """Store one step of every game.

        observations       (N, ...) before the action
        actions, rewards   (N,)
        ends               (N,) bool: the return ends here and is not bootstrapped
        stops              (N,) bool: the episode terminated or was truncated
        next_observations  (N, ...) after the action; the last one of an episode that stops

        Raises ValueError for another shape, or for numbers that do not fit the replay's type.
        """
        if self._rings.add(observations, actions, rewards, ends, stops, next_observations):
            return
        n = (self.num_envs,)
        if not actions.shape == rewards.shape == ends.shape == stops.shape == n:
            raise ValueError(
                f"actions, rewards, ends and stops must be {n}: {actions.shape}, {rewards.shape}, "
                f"{ends.shape}, {stops.shape}"
            )
        stored = self._rings.add(
            self._convert_observations(observations),
            as_type(actions, np.int64, "actions"),
            as_type(rewards, np.float64, "rewards"),
            np.ascontiguousarray(ends, bool),
            np.ascontiguousarray(stops, bool),
            self._convert_observations(next_observations),
        )
        assert stored, "as_type returns a type that the rings read"

    def truncate(self, observations: Array) -> None:
        """Truncate the unfinished games; (N, ...) are their last observations."""
        last = self._convert_observations(observations)
        self._rings.close(last.view(np.uint8).reshape(self.num_envs, -1))

    def sample(self, batch_size: int, rng: np.random.Generator) -> Batch:
        """Sample a batch uniformly with replacement; raises ValueError while no transition is complete."""
        if batch_size not in self._batches:
            if batch_size < 1:
                raise ValueError(f"a batch holds at least one transition, not {batch_size}")
            self._batches[batch_size] = self._make_batch(batch_size)
        batch, bound = self._batches[batch_size]
        if not bound.sample(rng.bit_generator, self.n_step, self.gamma, TRIES):
            raise ValueError("the replay holds no complete transition yet")
        return batch

    def _convert_observations(self, observations: Array) -> Array:
        """Convert (N, ...) to a contiguous array of the replay's type."""
        if observations.shape != (self.num_envs, *self.shape):
            raise ValueError(f"the replay stores {(self.num_envs, *self.shape)}, not {observations.shape}")
        return as_type(observations, self.dtype, "observations")

    def _make_batch(self, size: int) -> tuple[Batch, Any]:
        """Allocate a batch and the compiled sampler that fills it."""
        observations, following = (np.zeros((size, *self.shape), self.dtype) for _ in range(2))
        actions = np.zeros(size, np.int64)
        returns, discounts = (np.zeros(size, np.float32) for _ in range(2))
        batch = Batch(observations, actions, returns, following, discounts)
        first, second = (x.view(np.uint8).reshape(size, -1, self.stack) for x in (observations, following))
        return batch, self._rings.batch(first, actions, returns, second, discounts)

    STATE = ("frames", "kind", "age", "actions", "rewards", "written", "played")

    def get_state(self) -> dict[str, Any]:
        """Return everything stored, without copies; the frames as a Ring."""
        state: dict[str, Any] = {name: getattr(self, name) for name in self.STATE}
        return {**state, "frames": Ring(self.frames, self.length, self.written)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state of `get_state`; raises ValueError when a shape differs."""
        for name in self.STATE:
            if state[name].shape != getattr(self, name).shape:
                wanted = getattr(self, name).shape
                raise ValueError(f"the saved replay's {name} is {state[name].shape}, not {wanted}")
        for name in ("written", "played"):  # a negative position is outside the rings
            if np.any(np.less(state[name], 0)):
                raise ValueError(f"the saved replay's {name} is below 0")
        for name in self.STATE:
            getattr(self, name)[...] = state[name]


def make_replay(
    observations: spaces.Space[Any], capacity: int, num_envs: int, n_step: int, gamma: float
) -> ReplayBuffer:
    """Make a replay for these observations: screens (H, W, C) as stacks of bytes, others as float32."""
    shape = observation_shape(observations)
    screens = len(shape) == 3
    stack, dtype = (shape[-1], np.uint8) if screens else (1, np.float32)
    return ReplayBuffer(capacity, num_envs, shape, dtype, stack, n_step, gamma)


def as_type(values: Array, dtype: Any, what: str) -> Array:
    """Convert to an aligned, contiguous array of this type.

    Raises ValueError unless both are the same kind of number (numpy.can_cast): floats never become integers.
    """
    if values.dtype == dtype and values.flags.c_contiguous and values.flags.aligned:
        return values
    if not np.can_cast(values.dtype, dtype, "same_kind"):
        raise ValueError(f"the replay stores {what} as {np.dtype(dtype)}, and {values.dtype} does not fit")
    return np.require(values, dtype, ["C", "A"])
