"""Slots: a piece of a replay, as it goes from a process that plays to one that learns.

A slot is what the replay keeps of a step: the newest frame only, action and reward (see nnlite_ext/_replay).
Neighbours in time stay neighbours, so that stacks and n-step returns are built where the slots arrive.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from nnlite_ext._replay import LAST, MOVE

from nnlite.arrays import Array
from rl.core.replay import ReplayBuffer


class Slots(NamedTuple):
    """S slots of N games, oldest first, one game after the other."""

    counts: Array  # (N,) int64 slots of each game, S in all
    frames: Array  # (S, ...)
    kind: Array  # (S,) uint8
    age: Array  # (S,) uint8
    actions: Array  # (S,) int64
    rewards: Array  # (S,) float32

    @property
    def steps(self) -> int:
        """Environment steps: all but the slots that hold an episode's last observation."""
        return int(np.count_nonzero(self.kind != LAST))

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self)


def copy_slots(replay: ReplayBuffer, since: Array) -> Slots:
    """A copy of the slots written after the rings had seen `since` (N,) of them; ValueError when some are
    overwritten already.
    """
    counts = replay.written - since
    if np.any((counts < 0) | (counts > replay.length)):
        raise ValueError(
            f"the replay keeps {replay.length} slots a game, of which {counts.tolist()} are asked for"
        )
    at = find_rows(replay, 0, since, counts)
    kind, age, actions, rewards = (ring.reshape(-1)[at] for ring in list_columns(replay))
    return Slots(counts, replay.frames[at], kind, age, actions, rewards)


def write_slots(replay: ReplayBuffer, first: int, slots: Slots) -> None:
    """Write the slots into the rings first, first + 1, ... of a replay.

    Raises ValueError, and writes nothing, when they do not fit.
    """
    counts, frames, *columns = slots
    games, size, frame = slice(first, first + len(counts)), (int(counts.sum()),), replay.frames.shape[1:]
    if first < 0 or games.stop > replay.num_envs or np.any((counts < 0) | (counts > replay.length)):
        rings = f"rings {games.start} to {games.stop - 1} of {replay.num_envs}, {replay.length} long"
        raise ValueError(f"{counts.tolist()} slots do not fit into {rings}")
    if (
        frames.shape != size + frame
        or frames.dtype != replay.dtype
        or any(column.shape != size for column in columns)
    ):
        raise ValueError(
            f"the replay stores frames {replay.dtype}{frame}, not {frames.dtype}{frames.shape[1:]}"
        )
    at = find_rows(replay, first, replay.written[games], counts)
    replay.frames[at] = frames
    for ring, column in zip(list_columns(replay), columns):
        ring.reshape(-1)[at] = column
    replay.written[games] += counts


def truncate_games(replay: ReplayBuffer, first: int, games: int) -> None:
    """The games under way in these rings are lost: each is cut off at the last frame that is known of it.

    Without this, a return would be bootstrapped from the next game's first frame.
    """
    for game in range(first, first + games):
        if replay.written[game]:
            newest = (replay.written[game] - 1) % replay.length
            if replay.kind[game, newest] == MOVE:
                replay.kind[game, newest] = LAST


def list_columns(replay: ReplayBuffer) -> tuple[Array, Array, Array, Array]:
    """(N, L) each: what a slot holds besides its frame, in the order of Slots."""
    return replay.kind, replay.age, replay.actions, replay.rewards


def find_rows(replay: ReplayBuffer, first: int, since: Array, counts: Array) -> Array:
    """(S,) the rows that follow the `since` slots written into each of the rings first, first + 1, ..."""
    length = replay.length
    return np.concatenate(
        [
            game * length + np.arange(start, start + count) % length
            for game, (start, count) in enumerate(zip(since, counts), first)
        ]
    )
