"""Agent: what the Trainer asks of every algorithm. The articles call it FNAgent.

An article's agent holds its network and its algorithm; it decides in `observe`, in plain sight, when it
learns and what.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nnlite import Sequential
from nnlite.arrays import Array
from nnlite.saving import load_weights, save_model
from rl.core.experience import Experience
from rl.core.state import restored, state_of

Metrics = dict[str, float]


class Agent:
    """act, observe, save, load; and what a run needs to continue exactly.

    model   the network that acts and is saved
    steps   environment steps observed so far
    KEPT    names of the attributes besides these two that the next step depends on: optimizer, replay,
            generators, counters
    """

    KEPT: tuple[str, ...] = ()

    model: Sequential
    steps: int = 0
    measure: str = "Q value"  # what preferences are; "probability" for a policy
    outputs: Array | None = None  # (B, ...) what the network said at the last update; None before the first

    def act(self, observations: Array) -> Array:
        """Actions (N,) int64 for observations (N, ...), exploring."""
        raise NotImplementedError(f"{type(self).__name__} has no act")

    def observe(self, experience: Experience) -> Metrics | None:
        """Store one step of every game and learn when it is time; the numbers of an update, or None."""
        raise NotImplementedError(f"{type(self).__name__} has no observe")

    def greedy(self, observations: Array) -> Array:
        """The best actions (N,) by what was learned, without exploring."""
        return self.preferences(observations).argmax(axis=1)

    def preferences(self, observations: Array) -> Array:
        """(N, A): what the agent thinks of each action; shown beside a game that it plays."""
        raise NotImplementedError(f"{type(self).__name__} has no preferences")

    def status(self) -> Metrics:
        """Numbers for the progress line: the exploration rate, for example."""
        return {}

    def distributions(self) -> dict[str, Array]:
        """Numbers of the last update that TensorBoard shows as histograms, by tag; none before the first."""
        return {}

    def save(self, path: Path) -> None:
        """Write the network that `greedy` uses."""
        save_model(self.model, path)

    def load(self, path: Path) -> None:
        """Read what save wrote; raises ValueError, and changes nothing, when the file does not fit this
        network.
        """
        load_weights(self.model, path)

    def cut_off(self, observations: Array) -> None:
        """The games that are under way cannot be gone on with: take the last step of each as cut off by a
        time limit.

        observations  (N, ...) what the games showed last; of a game that had just begun, its first

        For agents that keep the steps of unfinished games. Called between two steps, when a run is resumed
        whose environment cannot be put back into the middle of a game.
        """

    def get_state(self) -> dict[str, Any]:
        """Everything that the next step depends on: arrays, numbers, states of generators, nested in
        dicts.
        """
        return {name: state_of(getattr(self, name)) for name in ("steps", "model", *self.KEPT)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what get_state gave; raises ValueError when it does not fit."""
        names = {"steps", "model", *self.KEPT}
        if set(state) != names:
            raise ValueError(f"the saved agent has {sorted(state)}, this one {sorted(names)}")
        for name in names:
            setattr(self, name, restored(getattr(self, name), state[name]))
