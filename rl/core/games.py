"""Games that an agent plays: the loop of every agent, and what a Trainer needs of whatever plays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from gymnasium.vector import VectorEnv

from nnlite.arrays import Array
from rl.core.agent import Agent, Metrics
from rl.core.experience import Experience, insert_final_obs
from rl.core.guards import check_step, locate
from rl.envs.native_vector import NativeVectorEnv


class Episode(NamedTuple):
    """A finished game."""

    total: float  # return, in the environment's own unit
    length: int  # steps


class Turn(NamedTuple):
    """One turn of the loop."""

    metrics: Metrics | None = None  # of the last update that it led to
    episodes: Sequence[Episode] = ()  # games that ended in it
    message: str = ""  # a line for the user


class Games:
    """N games in this process.

    envs    vector environment that restarts a game within the step that ends it (SAME_STEP)
    seed    of its first reset
    reward  the rewards (N,) to learn from, made of the environment's (N,); None takes them as they are
    """

    columns: tuple[str, ...] = ()

    def __init__(self, envs: VectorEnv, seed: int, reward: Callable[[Array], Array] | None = None) -> None:
        self.envs, self.seed, self.reward = envs, seed, reward
        self.stride = envs.num_envs
        self.restorable = hasattr(envs.unwrapped, "get_state")
        self._foreign = not isinstance(envs.unwrapped, NativeVectorEnv)  # our simulators never give NaN
        self._observations: Array | None = None  # (N, ...) of this moment; None before the first reset
        self._returns = np.zeros(envs.num_envs)  # so far, of the running games
        self._lengths = np.zeros(envs.num_envs, np.int64)

    def play(self, agent: Agent) -> Iterator[Turn]:
        """Act, step, observe, without end: the loop of every agent. A turn is one step of every game."""
        if self._observations is None:
            self._observations, _ = self.envs.reset(seed=self.seed)
        while True:
            observations = self._observations
            actions = agent.act(observations)
            following, rewards, terminated, truncated, info = self.envs.step(actions)
            done = terminated | truncated if info else None  # every end is in the info
            last = following if done is None else insert_final_obs(following, info, done)
            if self._foreign:
                check_step(last, rewards, terminated, truncated, len(actions), agent.steps)
            learned = rewards if self.reward is None else self.reward(rewards)
            try:
                metrics = agent.observe(
                    Experience(observations, actions, learned, last, terminated, truncated)
                )
            except FloatingPointError as problem:
                raise locate(problem, agent.model, agent.steps) from None
            self._observations = following
            yield Turn(metrics, self._count(rewards, done))

    def _count(self, rewards: Array, done: Array | None) -> list[Episode]:
        """Add a step to the running games; return those that it ended."""
        self._returns += rewards
        self._lengths += 1
        if done is None:
            return []
        episodes = [Episode(float(self._returns[n]), int(self._lengths[n])) for n in np.flatnonzero(done)]
        self._returns[done] = 0
        self._lengths[done] = 0
        return episodes

    def status(self) -> Metrics:
        """Numbers for progress.csv."""
        return {}

    def screens(self) -> list[Array]:
        """Grey frames (H, W) that the network read last; empty when it reads something else."""
        seen = self._observations
        if seen is None or seen.dtype != np.uint8 or seen.ndim != 4:
            return []
        return [seen[0, :, :, k] for k in range(seen.shape[3])]

    def get_state(self) -> dict[str, Any]:
        """Return all that the next turn depends on, apart from the agent; arrays are not copied."""
        return {
            "games": self.envs.get_state() if self.restorable else None,  # type: ignore[attr-defined]
            "observations": self._observations,
            "running_return": self._returns,
            "running_length": self._lengths,
        }

    def set_state(self, state: dict[str, Any], agent: Agent) -> None:
        """Go on from what `get_state` gave; the agent's own state is already set.

        Games that cannot be restored in their middle begin anew; the agent's unfinished ones are truncated.
        """
        if state["games"] is not None:
            self.envs.set_state(state["games"])  # type: ignore[attr-defined]
            self._observations = state["observations"]
            self._returns[...] = state["running_return"]
            self._lengths[...] = state["running_length"]
        else:
            agent.truncate(state["observations"])
            self._observations, _ = self.envs.reset(seed=(self.seed + agent.steps) % 2**32)

    def close(self) -> None:
        """Close the environments."""
        self.envs.close()


class Source(Protocol):
    """Whatever plays for a Trainer: Games, or actors in other processes.

    stride      environment steps of a turn
    restorable  its games can be restored in their middle
    columns     names of the numbers in `status`

    The methods are those of Games.
    """

    stride: int
    restorable: bool
    columns: tuple[str, ...]

    def play(self, agent: Agent) -> Iterator[Turn]: ...
    def status(self) -> Metrics: ...
    def screens(self) -> list[Array]: ...
    def get_state(self) -> dict[str, Any]: ...
    def set_state(self, state: dict[str, Any], agent: Agent) -> None: ...
    def close(self) -> None: ...
