"""Games that an agent plays: the loop of every agent, and the interface that a Trainer needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from gymnasium.vector import VectorEnv

from nnlite.arrays import Array
from rl.core.agent import Agent, Metrics
from rl.core.ended_returns import EndedReturns
from rl.core.experience import Experience, insert_final_obs
from rl.core.guards import check_observations, check_step, locate
from rl.envs.native_vector import NativeVectorEnv


class Episode(NamedTuple):
    """A finished game."""

    total: float  # return, in the environment's own unit
    length: int  # steps


class Turn(NamedTuple):
    """One turn of the loop."""

    metrics: Metrics | None = None  # of the last update in this turn
    episodes: Sequence[Episode] = ()  # games that ended in this turn
    message: str = ""  # a line for the user


class Games:
    """N games in this process.

    envs    vector environment that restarts a game in the step that ends it (SAME_STEP)
    seed    of its first reset
    reward  maps the environment's rewards (N,) to those to learn from; None leaves them unchanged
    life_loss_ends  the agent takes a negative reward for the end of the return
    """

    columns: tuple[str, ...] = ()

    def __init__(
        self,
        envs: VectorEnv,
        seed: int,
        reward: Callable[[Array], Array] | None = None,
        life_loss_ends: bool = False,
    ) -> None:
        self.envs, self.seed, self.reward = envs, seed, reward
        self.stride = envs.num_envs
        self.restorable = hasattr(envs.unwrapped, "get_state")
        self._foreign = not isinstance(envs.unwrapped, NativeVectorEnv)  # our own simulators never return NaN
        self._ended = EndedReturns() if life_loss_ends else None
        self._observations: Array | None = None  # (N, ...) current; None before the first reset
        self._returns = np.zeros(envs.num_envs)  # of the unfinished games, so far
        self._lengths = np.zeros(envs.num_envs, np.int64)

    def play(self, agent: Agent) -> Iterator[Turn]:
        """Act, step, observe, without end. A turn is one step of every game."""
        observations = self._observations
        if observations is None:
            observations = self._begin(self.seed, agent)
        while True:
            actions = agent.act(observations)
            following, rewards, terminated, truncated, info = self.envs.step(actions)
            done = terminated | truncated if info else None  # an empty info means that no game ended
            last = following if done is None else insert_final_obs(following, info, done)
            if self._foreign:
                check_step(last, rewards, terminated, truncated, len(actions), agent.steps)
            learned = rewards if self.reward is None else self.reward(rewards)
            experience = Experience(observations, actions, learned, last, terminated, truncated)
            try:
                metrics = agent.observe(experience)
            except FloatingPointError as problem:
                raise locate(problem, agent.model, agent.steps) from None
            self._observations = observations = following
            message = "" if self._ended is None else self._watch_ends(learned, terminated)
            yield Turn(metrics, self._count(rewards, done), message)

    def _begin(self, seed: int, agent: Agent) -> Array:
        """Start all games; return their observations."""
        observations, _ = self.envs.reset(seed=seed)
        if self._foreign:
            check_observations(observations, agent.steps)
        self._observations = observations
        return observations

    def _watch_ends(self, rewards: Array, terminated: Array) -> str:
        """Count a step of every game in EndedReturns, until it has seen enough."""
        assert self._ended is not None
        message = self._ended.count(rewards, terminated)
        if self._ended.done:
            self._ended = None
        return message

    def _count(self, rewards: Array, done: Array | None) -> list[Episode]:
        """Count one step of every game; return the games that it ended."""
        self._returns += rewards
        self._lengths += 1
        if done is None:
            return []
        episodes = [Episode(float(self._returns[n]), int(self._lengths[n])) for n in np.flatnonzero(done)]
        self._returns[done] = 0
        self._lengths[done] = 0
        return episodes

    def status(self) -> Metrics:
        """Return numbers for progress.csv."""
        return {}

    def screens(self) -> list[Array]:
        """Return the grey frames (H, W) that the network read last; empty if it does not read screens."""
        seen = self._observations
        if seen is None or seen.dtype != np.uint8 or seen.ndim != 4:
            return []
        return [seen[0, :, :, k] for k in range(seen.shape[3])]

    def get_state(self) -> dict[str, Any]:
        """Return all that the next turn depends on, without the agent; arrays are not copied."""
        return {
            "games": self.envs.get_state() if self.restorable else None,  # type: ignore[attr-defined]
            "observations": self._observations,
            "running_return": self._returns,
            "running_length": self._lengths,
        }

    def set_state(self, state: dict[str, Any], agent: Agent) -> None:
        """Restore the state of `get_state`; the agent's own state must be restored before.

        Games that cannot be restored mid-game start again; the agent truncates its unfinished ones.
        """
        if state["games"] is not None:
            self.envs.set_state(state["games"])  # type: ignore[attr-defined]
            self._observations = state["observations"]
            self._returns[...] = state["running_return"]
            self._lengths[...] = state["running_length"]
        else:
            agent.truncate(state["observations"])
            self._begin((self.seed + agent.steps) % 2**32, agent)

    def close(self) -> None:
        """Close the environments."""
        self.envs.close()


class Source(Protocol):
    """The source of a Trainer's experience: Games, or actors in other processes.

    stride      environment steps per turn
    restorable  its games can be restored mid-game
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
