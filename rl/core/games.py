"""Where a Trainer's experience comes from: `Source`; and the usual one, N games in this process: `Games`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from gymnasium.vector import VectorEnv

from nnlite.arrays import Array
from rl.core.agent import Agent, Metrics
from rl.core.experience import Experience, real_next
from rl.core.guards import check_step, located
from rl.envs.native_vector import NativeVectorEnv


class Episode(NamedTuple):
    """A finished game."""

    total: float  # return, in the environment's own unit
    length: int  # steps


class Played(NamedTuple):
    """What one step of a source gave."""

    metrics: Metrics | None = None  # of the last update that it led to
    episodes: Sequence[Episode] = ()
    said: str = ""  # a line for the user


class Source(Protocol):
    """Plays for an agent, and lets it observe what came of it.

    stride      environment steps that the agent observes at a time
    restorable  the games can be put back into the middle of what they were doing
    columns     names of what `status` tells
    """

    stride: int
    restorable: bool
    columns: tuple[str, ...]

    def begin(self) -> None:
        """Start the games of a new run."""

    def step(self) -> Played:
        """Go on a little; the agent's `steps` have grown by what was observed, perhaps by nothing."""

    def status(self) -> Metrics:
        """Numbers for progress.csv."""

    def screens(self) -> list[Array]:
        """Grey frames (H, W) that the network read last; empty when it reads something else."""

    def get_state(self) -> dict[str, Any]:
        """All that the next step depends on, besides the agent; arrays are not copied."""

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what get_state gave; the agent was put back already."""

    def close(self) -> None:
        """Give everything back."""


class Games:
    """N games in this process, one step of each at a time: act, step, observe.

    envs  SAME_STEP vector environment
    seed  of its first reset
    """

    columns: tuple[str, ...] = ()

    def __init__(self, agent: Agent, envs: VectorEnv, seed: int) -> None:
        self.agent = agent
        self.envs, self.seed, self.stride = envs, seed, envs.num_envs
        self.restorable = hasattr(envs.unwrapped, "get_state")
        self._returns = np.zeros(envs.num_envs)  # of the games under way
        self._lengths = np.zeros(envs.num_envs, np.int64)
        self._observations: Array = np.zeros(0)  # what the games show now
        self._foreign = not isinstance(
            envs.unwrapped, NativeVectorEnv
        )  # our own simulators have no way to give NaN

    def begin(self) -> None:
        self._observations, _ = self.envs.reset(seed=self.seed)

    def step(self) -> Played:
        """One step of every game."""
        agent, observations = self.agent, self._observations
        actions = agent.act(observations)
        following, rewards, terminated, truncated, info = self.envs.step(actions)
        done = terminated | truncated if info else None  # an end is always told in the info
        last = following if done is None else real_next(following, info, done)
        if self._foreign:
            check_step(last, rewards, terminated, truncated, len(actions), agent.steps)
        try:
            metrics = agent.observe(Experience(observations, actions, rewards, last, terminated, truncated))
        except FloatingPointError as problem:
            raise located(problem, agent.model, agent.steps) from None
        self._observations = following
        return Played(metrics, self._ended(rewards, done))

    def _ended(self, rewards: Array, done: Array | None) -> list[Episode]:
        """Add up the running games; those that are over."""
        self._returns += rewards
        self._lengths += 1
        if done is None:
            return []
        episodes = [
            Episode(float(self._returns[game]), int(self._lengths[game])) for game in np.flatnonzero(done)
        ]
        self._returns[done] = 0
        self._lengths[done] = 0
        return episodes

    def status(self) -> Metrics:
        return {}

    def screens(self) -> list[Array]:
        seen = self._observations
        return (
            [seen[0, :, :, k] for k in range(seen.shape[3])]
            if seen.dtype == np.uint8 and seen.ndim == 4
            else []
        )

    def get_state(self) -> dict[str, Any]:
        return {
            "games": self.envs.get_state() if self.restorable else None,  # type: ignore[attr-defined]
            "observations": self._observations,
            "running_return": self._returns,
            "running_length": self._lengths,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """See Source; games that cannot be put back into their middle begin anew."""
        if state["games"] is not None:
            self.envs.set_state(state["games"])  # type: ignore[attr-defined]
            self._observations = state["observations"]
            self._returns[...] = state["running_return"]
            self._lengths[...] = state["running_length"]
        else:
            self.agent.cut_off(state["observations"])
            self._observations, _ = self.envs.reset(seed=(self.seed + self.agent.steps) % 2**32)

    def close(self) -> None:
        self.envs.close()
