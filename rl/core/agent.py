"""Agent: the methods of every algorithm. The articles call it FNAgent.

An article's agent holds its network and its algorithm. Its `observe` decides when it learns, and from what.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nnlite import Sequential
from nnlite.arrays import Array
from nnlite.models import save_model
from nnlite.saving import load_weights
from rl.core.experience import Experience
from rl.core.scaler import Scaler
from rl.core.state import restore, state_of

Metrics = dict[str, float]


class Agent:
    """Base class of all agents: act, observe, save and load, and the state for an exact resume.

    model    the network that acts
    steps    environment steps observed so far
    measure  the meaning of `preferences`: "Q value", or "probability" for a policy
    scaler   what observations pass through before the network; by default unchanged
    outputs  (B, ...) of the network at the last update; None before the first
    STATE    names of the other attributes that the next step depends on: optimizer, replay, counters, ...
    """

    STATE: tuple[str, ...] = ()
    measure: str = "Q value"

    model: Sequential
    scaler: Scaler = Scaler(active=False)
    steps: int = 0
    outputs: Array | None = None

    def act(self, observations: Array) -> Array:
        """Choose actions (N,) int64 for observations (N, ...), exploring."""
        raise NotImplementedError(f"{type(self).__name__} has no act")

    def observe(self, experience: Experience) -> Metrics | None:
        """Store one step of every game; learn when it is time. Return an update's numbers, or None."""
        raise NotImplementedError(f"{type(self).__name__} has no observe")

    def greedy(self, observations: Array) -> Array:
        """Choose the best actions (N,), without exploring."""
        return self.preferences(observations).argmax(axis=1)

    def preferences(self, observations: Array) -> Array:
        """Rate every action, (N, A). Pictures of a game show these numbers."""
        raise NotImplementedError(f"{type(self).__name__} has no preferences")

    def status(self) -> Metrics:
        """Return numbers for the progress line, for example the exploration rate."""
        return {}

    def distributions(self) -> dict[str, Array]:
        """Return arrays of the last update, by tag: TensorBoard shows histograms. Empty before the first."""
        return {}

    def network(self) -> Sequential:
        """Return the network of `greedy`, in a form that reads unscaled observations."""
        return self.scaler.fold_into(self.model)

    def save(self, path: Path) -> None:
        """Write the network."""
        save_model(self.network(), path)

    def load(self, path: Path) -> None:
        """Read the file of `save`. Raises ValueError, and changes nothing, if it does not fit the network."""
        load_weights(self.model, path)
        self.scaler.stop()

    def truncate(self, observations: Array) -> None:
        """Mark every unfinished game as truncated; agents that store unfinished games override it.

        Called on resume if the environment cannot be restored mid-game.

        observations  (N, ...) the last ones of the unfinished games
        """

    def get_state(self) -> dict[str, Any]:
        """Return all that the next step depends on: arrays, numbers and generator states in nested dicts."""
        return {name: state_of(getattr(self, name)) for name in ("steps", "model", *self.STATE)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state of `get_state`; raises ValueError when it does not fit."""
        names = {"steps", "model", *self.STATE}
        if set(state) != names:
            raise ValueError(f"the saved agent has {sorted(state)}, this one {sorted(names)}")
        for name in names:
            setattr(self, name, restore(getattr(self, name), state[name]))
