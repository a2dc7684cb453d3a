"""Progress: one run in the maze that learns piece by piece, with a record of its episodes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlite.arrays import Array
from rl.envs.maze_layout import MazeLayout
from rl.maze import Rule
from rl.maze.learning import Runs, begin, compile_learning, learn_into

FIRST_PIECE = 100  # episodes
SHORT, LONG = 0.1, 1.0  # seconds: a piece that takes less makes the next larger, one that takes more smaller


@dataclass
class Progress:
    """One run.

    runs     its state
    lengths  (E,) int64    steps of each episode, 0 from `episodes` on
    moves    (E,) float64  how far each episode moved the policy, 0 from `episodes` on
    seconds  of learning so far
    """

    layout: MazeLayout
    rule: Rule
    runs: Runs
    lengths: Array
    moves: Array
    seconds: float = 0.0

    @classmethod
    def fresh(cls, layout: MazeLayout, rule: Rule, seed: int, max_episodes: int) -> Progress:
        """Make a run that has not begun, with a record of E = max_episodes."""
        return cls(
            layout, rule, begin(layout, [seed]), np.zeros(max_episodes, np.int64), np.zeros(max_episodes)
        )

    @property
    def episodes(self) -> int:
        """Episodes played so far."""
        return int(self.runs.episodes[0])

    @property
    def settled(self) -> bool:
        """The policy hardly moves any more."""
        return bool(self.runs.calm[0] >= self.rule.stop_after)

    def get_state(self) -> dict[str, Any]:
        """Return the state of the run and its record so far."""
        played = slice(0, self.episodes)
        return {
            "runs": self.runs.arrays(),
            "lengths": self.lengths[played],
            "moves": self.moves[played],
            "seconds": self.seconds,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue from the result of `get_state`.

        Raises ValueError when it belongs to another maze, or its record is longer than E.
        """
        shapes = {name: array.shape for name, array in self.runs.arrays().items()}
        if {name: array.shape for name, array in state["runs"].items()} != shapes:
            raise ValueError("the state belongs to another maze")
        self.runs, self.seconds = Runs(**state["runs"]), state["seconds"]
        if self.episodes > len(self.lengths):
            raise ValueError(
                f"the run has played {self.episodes:,} episodes, more than {len(self.lengths):,}"
            )
        self.lengths[: self.episodes], self.moves[: self.episodes] = state["lengths"], state["moves"]

    def pieces(self) -> Iterator[None]:
        """Learn until the run has settled or the record is full, some episodes between two yields."""
        compile_learning(self.layout, self.rule)
        size = FIRST_PIECE
        while not self.settled and self.episodes < len(self.lengths):
            start = time.perf_counter()
            end = min(self.episodes + size, len(self.lengths))
            learn_into(self.layout, self.runs, self.rule, end, self.lengths[None], self.moves[None])
            took = time.perf_counter() - start
            self.seconds += took
            size = 4 * size if took < SHORT else max(1, size // 2) if took > LONG else size
            yield
