"""Slots: part of a replay, sent from a process that plays to the one that learns.

A slot holds one step: the newest frame, the action and the reward (see ext/_replay.pyx). Slots stay in the
order of time, so the receiver can build stacks and n-step returns from them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from nnlite_ext._replay import LAST, MOVE

from nnlite.arrays import Array
from rl.core.replay import ReplayBuffer


class Slots(NamedTuple):
    """S slots of N games: game by game, oldest first."""

    counts: Array  # (N,) int64 slots of each game; their sum is S
    frames: Array  # (S, ...)
    kind: Array  # (S,) uint8
    age: Array  # (S,) uint8
    actions: Array  # (S,) int64
    rewards: Array  # (S,) float32

    @property
    def steps(self) -> int:
        """Environment steps: all slots except those that hold an episode's last observation."""
        return int(np.count_nonzero(self.kind != LAST))

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self)


def copy_slots(replay: ReplayBuffer, since: Array) -> Slots:
    """Copy the slots that were written to each ring after its first `since` (N,).

    Raises ValueError when some of them are already overwritten.
    """
    counts = replay.written - since
    if np.any((counts < 0) | (counts > replay.length)):
        raise ValueError(f"the replay keeps {replay.length} slots of a game, not {counts.tolist()}")
    at = find_rows(replay, 0, since, counts)
    kind, age, actions, rewards = (ring.reshape(-1)[at] for ring in list_columns(replay))
    return Slots(counts, replay.frames[at], kind, age, actions, rewards)


def write_slots(replay: ReplayBuffer, first: int, slots: Slots) -> None:
    """Append the slots to the rings first, first + 1, ... of a replay.

    Raises ValueError, and writes nothing, when they do not fit.
    """
    counts, frames, *columns = slots
    games, size, frame = slice(first, first + len(counts)), (int(counts.sum()),), replay.frames.shape[1:]
    if first < 0 or games.stop > replay.num_envs or np.any((counts < 0) | (counts > replay.length)):
        rings = f"rings {games.start} to {games.stop - 1} of {replay.num_envs}, {replay.length} long"
        raise ValueError(f"{counts.tolist()} slots do not fit into {rings}")
    fit = frames.shape == size + frame and frames.dtype == replay.dtype
    if not fit or any(column.shape != size for column in columns):
        given = f"{frames.dtype}{frames.shape[1:]}"
        raise ValueError(f"the replay stores frames {replay.dtype}{frame}, not {given}")
    at = find_rows(replay, first, replay.written[games], counts)
    replay.frames[at] = frames
    for ring, column in zip(list_columns(replay), columns):
        ring.reshape(-1)[at] = column
    replay.written[games] += counts


def truncate_games(replay: ReplayBuffer, first: int, games: int) -> None:
    """Truncate the unfinished games of the rings first, first + 1, ... at their newest frame.

    Without this, a return would be bootstrapped from the next game's first frame.
    """
    for game in range(first, first + games):
        if replay.written[game]:
            newest = (replay.written[game] - 1) % replay.length
            if replay.kind[game, newest] == MOVE:
                replay.kind[game, newest] = LAST


def list_columns(replay: ReplayBuffer) -> tuple[Array, Array, Array, Array]:
    """Return the parts of a slot other than its frame, (N, L) each, in the order of Slots."""
    return replay.kind, replay.age, replay.actions, replay.rewards


def find_rows(replay: ReplayBuffer, first: int, since: Array, counts: Array) -> Array:
    """Return the rows (S,) of the next `counts` slots of the rings first, first + 1, ...

    since  slots written to each of them before
    """
    length = replay.length
    return np.concatenate(
        [
            game * length + np.arange(start, start + count) % length
            for game, (start, count) in enumerate(zip(since, counts), first)
        ]
    )
