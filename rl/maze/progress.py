"""How far one run in the maze has come: it learns piece by piece, is saved between two pieces, and keeps
what each episode took.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rl.envs.maze_layout import MazeLayout
from rl.maze.learning import Rule, Runs, begin, learn, learn_into

FIRST_PIECE = 100  # episodes
SHORT, LONG = 0.1, 1.0  # seconds: pieces grow and shrink until they take about as long


@dataclass
class Progress:
    """One run.

    runs     what it goes on from
    lengths  (E,) int64, moves (E,) float64: steps of each episode, how far the policy then moved; 0 from
             `episodes` on
    seconds  of learning so far
    """

    layout: MazeLayout
    rule: Rule
    runs: Runs
    lengths: np.ndarray
    moves: np.ndarray
    seconds: float = 0.0

    @classmethod
    def fresh(cls, layout: MazeLayout, rule: Rule, seed: int, max_episodes: int) -> Progress:
        """A run that has not begun, with room for so many episodes."""
        return cls(
            layout, rule, begin(layout, [seed]), np.zeros(max_episodes, np.int64), np.zeros(max_episodes)
        )

    @property
    def episodes(self) -> int:
        return int(self.runs.episodes[0])

    @property
    def settled(self) -> bool:
        return bool(self.runs.calm[0] >= self.rule.stop_after)

    def get_state(self) -> dict[str, Any]:
        """All that the run goes on from, and its record."""
        played = slice(0, self.episodes)
        return {
            "runs": self.runs.arrays(),
            "lengths": self.lengths[played],
            "moves": self.moves[played],
            "seconds": self.seconds,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what get_state gave.

        Raises ValueError when it belongs to another maze, or is longer than there is room.
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
        learn(
            self.layout, begin(self.layout, [0]), self.rule, 1
        )  # compiles, or loads what was compiled before
        size = FIRST_PIECE
        while not self.settled and self.episodes < len(self.lengths):
            start = time.perf_counter()
            end = min(self.episodes + size, len(self.lengths))
            learn_into(self.layout, self.runs, self.rule, end, self.lengths[None], self.moves[None])
            took = time.perf_counter() - start
            self.seconds += took
            size = 4 * size if took < SHORT else max(1, size // 2) if took > LONG else size
            yield
