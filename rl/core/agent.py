"""Agent: what the Trainer asks of every algorithm. The articles call it FNAgent.

An article's agent holds its network and its algorithm; it decides in `observe`, in plain sight, when it learns and what.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from nnlite import Sequential
from nnlite.saving import load_tensors, model_tensors, read_tensors, save_model

from rl.core.experience import Experience

Array = np.ndarray[Any, np.dtype[Any]]
Metrics = dict[str, float]


class Agent:
    """act, observe, save, load; and what a run needs to continue exactly.

    model   the network that acts and is saved
    steps   environment steps observed so far
    """

    model: Sequential
    steps: int = 0
    measure: str = "Q value"  # what preferences are; "probability" for a policy

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

    def save(self, path: Path) -> None:
        """Write the network that `greedy` uses."""
        save_model(self.model, path)

    def load(self, path: Path) -> None:
        """Read what save wrote; raises ValueError, and changes nothing, when the file does not fit this network."""
        tensors, _ = read_tensors(path)
        load_tensors(self.model, tensors)

    def get_state(self) -> dict[str, Any]:
        """Everything that the next step depends on: arrays, numbers, states of generators, nested in dicts."""
        return {"steps": self.steps, "model": model_tensors(self.model)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what get_state gave."""
        self.steps = int(state["steps"])
        load_tensors(self.model, state["model"])


def readable(observations: spaces.Space[Any], values: Array) -> Array:
    """Observations as the network reads them: float32 vectors, bytes of screens, one-hot rows of Discrete ones."""
    if isinstance(observations, spaces.Discrete):
        return np.eye(int(observations.n), dtype=np.float32)[np.asarray(values)]
    return values if values.dtype == np.uint8 else values.astype(np.float32, copy=False)
