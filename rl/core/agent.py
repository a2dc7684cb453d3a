"""Agent: the methods that every algorithm has. The articles call it FNAgent.

An article's agent holds its network and its algorithm; it decides in `observe`, in plain sight, when it
learns and from what.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nnlite import Sequential
from nnlite.arrays import Array
from nnlite.models import save_model
from nnlite.saving import load_weights
from rl.core.experience import Experience
from rl.core.state import restore, state_of

Metrics = dict[str, float]


class Agent:
    """act, observe, save, load; and the state from which a run resumes exactly.

    model    the network that acts
    steps    environment steps observed so far
    measure  the meaning of `preferences`: "Q value", or "probability" for a policy
    outputs  (B, ...) of the network at the last update; None before the first
    STATE    names of further attributes that the next step depends on: optimizer, replay, generators,
             counters
    """

    STATE: tuple[str, ...] = ()
    measure: str = "Q value"

    model: Sequential
    steps: int = 0
    outputs: Array | None = None

    def act(self, observations: Array) -> Array:
        """Choose actions (N,) int64 for observations (N, ...), exploring."""
        raise NotImplementedError(f"{type(self).__name__} has no act")

    def observe(self, experience: Experience) -> Metrics | None:
        """Store one step of every game and learn when it is time; return an update's numbers, or None."""
        raise NotImplementedError(f"{type(self).__name__} has no observe")

    def greedy(self, observations: Array) -> Array:
        """Choose the best actions (N,), without exploring."""
        return self.preferences(observations).argmax(axis=1)

    def preferences(self, observations: Array) -> Array:
        """Rate every action, (N, A); shown beside a game that the agent plays."""
        raise NotImplementedError(f"{type(self).__name__} has no preferences")

    def status(self) -> Metrics:
        """Numbers for the progress line, for example the exploration rate."""
        return {}

    def distributions(self) -> dict[str, Array]:
        """Numbers of the last update that TensorBoard shows as histograms, by tag; none before the first."""
        return {}

    def network(self) -> Sequential:
        """The network that `greedy` uses, as one that reads observations as they are."""
        return self.model

    def save(self, path: Path) -> None:
        """Write the network."""
        save_model(self.network(), path)

    def load(self, path: Path) -> None:
        """Read what `save` wrote; raises ValueError, and changes nothing, unless the file fits this
        network.
        """
        load_weights(self.model, path)

    def truncate(self, observations: Array) -> None:
        """Mark every unfinished game as truncated.

        Called on resume if games cannot be restored in their middle.

        observations  (N, ...) of the last moment; the first one of a game that had just begun

        For agents that store the steps of unfinished games.
        """

    def get_state(self) -> dict[str, Any]:
        """Return all that the next step depends on: arrays, numbers, states of generators, nested in
        dicts.
        """
        return {name: state_of(getattr(self, name)) for name in ("steps", "model", *self.STATE)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` gave; raises ValueError when it does not fit."""
        names = {"steps", "model", *self.STATE}
        if set(state) != names:
            raise ValueError(f"the saved agent has {sorted(state)}, this one {sorted(names)}")
        for name in names:
            setattr(self, name, restore(getattr(self, name), state[name]))
