"""The checkpoint of a run: its whole state, written while training goes on, of which the last one is always
readable.

    checkpoint.safetensors   the state: its JSON and arrays, and for every Ring a list of blocks and where
    they are
    checkpoint-{n}.blocks    blocks of the Rings that were new when checkpoint n was written; never changed
    afterwards

`save` copies what is new and hands it to a thread, which packs the blocks (bytes are deflated: screens shrink
to a hundredth), writes them, makes them durable, and only then replaces checkpoint.safetensors, atomically.
Files of blocks that it no longer names are removed last. A process killed at any moment leaves the checkpoint
before or the new one.
"""

from __future__ import annotations

import contextlib
import re
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nnlite import strict_json
from nnlite.arrays import Array
from nnlite.tensor_file import sweep, sync_file
from rl.core.ring import Ring
from rl.runs import state_file
from rl.runs.state_tree import pack

NAME = "checkpoint.safetensors"
BLOCKS = "checkpoint-{}.blocks"
DEFLATE = 1  # zlib's fastest level


class Kept(NamedTuple):
    """Where a block of a ring is kept: as `name` in file number `file`, and how old it is."""

    start: int
    stop: int
    stamp: int
    file: int
    name: str


class Snapshot(NamedTuple):
    """What the thread writes; nothing of it changes any more."""

    tree: Any
    arrays: dict[str, Array]
    kept: dict[str, list[Kept]]  # of every ring
    rings: dict[str, dict[str, Any]]  # their shape and dtype
    fresh: dict[str, Array]  # the blocks that no file holds yet
    number: int


class Checkpoints:
    """The checkpoints of the run in `folder`, one after the other under one name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / NAME
        self._kept: dict[
            tuple[str, int], Kept
        ] = {}  # (ring, its first row) -> where the last checkpoint has it
        self._number = 1 + max(_numbers(folder), default=0)
        self._thread: threading.Thread | None = None
        self._problem: BaseException | None = None

    @property
    def busy(self) -> bool:
        """A checkpoint is still being written."""
        return self._thread is not None and self._thread.is_alive()

    def save(self, state: dict[str, Any], files: Sequence[Path] = ()) -> None:
        """Copy the state and have it written; returns before that is done.

        Waits for the checkpoint before this one.

        files  what the state refers to: made durable before it

        Raises OSError when that one could not be written; the files are then as they were before it.
        """
        self.wait()
        snapshot = self._snapshot(state)
        self._thread = threading.Thread(
            target=self._write, args=(snapshot, list(files)), name="checkpoint", daemon=True
        )
        self._thread.start()

    def wait(self) -> None:
        """Return when the last `save` is durable; raises what kept it from being written."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        problem, self._problem = self._problem, None
        if problem is not None:
            raise problem

    def load(self) -> dict[str, Any]:
        """The state of the last checkpoint. Removes what writers that were killed have left behind.

        Raises FileNotFoundError, or ValueError naming what is wrong.
        """
        arrays, metadata = state_file.read(self.path)
        try:
            rings = _rings(strict_json.loads(metadata["rings"]))
        except (KeyError, TypeError, AttributeError) as problem:
            raise ValueError(f"{self.path} is not usable: its rings lack {problem}") from None
        packs = {
            number: state_file.read(self._blocks(number))[0]
            for number in {k.file for _, kept in rings.values() for k in kept}
        }
        whole = {name: _joined(like, kept, packs) for name, (like, kept) in rings.items()}
        self._remember({name: kept for name, (_, kept) in rings.items()})
        self._clean()
        sweep(self.folder)
        return state_file.tree_of(metadata, arrays, whole)

    # --- writing
    # -----------------------------------------------------------------------------------------------

    def _snapshot(self, state: dict[str, Any]) -> Snapshot:
        arrays: dict[str, Array] = {}
        rings: dict[str, Ring] = {}
        tree = pack(state, arrays, rings)
        number, self._number = self._number, self._number + 1
        kept: dict[str, list[Kept]] = {}
        fresh: dict[str, Array] = {}
        for name, ring in rings.items():
            kept[name] = [
                self._block(name, ring, block.rows, block.stamp, number, fresh) for block in ring.blocks()
            ]
        likes = {
            name: {"dtype": ring.array.dtype.str, "shape": list(ring.shape)} for name, ring in rings.items()
        }
        return Snapshot(
            tree, {name: array.copy() for name, array in arrays.items()}, kept, likes, fresh, number
        )

    def _block(
        self, name: str, ring: Ring, rows: slice, stamp: int, number: int, fresh: dict[str, Array]
    ) -> Kept:
        """Where this block is kept already, or will be: then its rows are copied into `fresh`."""
        known = self._kept.get((name, rows.start))
        if (
            known is not None
            and known.stamp == stamp
            and known.stop == rows.stop
            and self._blocks(known.file).exists()
        ):
            return known
        key = f"{name}/{rows.start}"
        fresh[key] = ring.array[rows].copy()
        return Kept(rows.start, rows.stop, stamp, number, key)

    def _write(self, snapshot: Snapshot, files: list[Path]) -> None:
        try:
            for path in filter(Path.exists, files):
                sync_file(path)
            if snapshot.fresh:
                packed = {name: _packed(block) for name, block in snapshot.fresh.items()}
                snapshot.fresh.clear()
                state_file.write(self._blocks(snapshot.number), packed, {})
            rings = {
                name: {**like, "blocks": [list(k) for k in snapshot.kept[name]]}
                for name, like in snapshot.rings.items()
            }
            metadata = {"tree": strict_json.dumps(snapshot.tree), "rings": strict_json.dumps(rings)}
            state_file.write(self.path, snapshot.arrays, metadata)
            self._remember(snapshot.kept)
            self._clean()
        except BaseException as problem:  # told by the next wait()
            self._problem = problem

    def _remember(self, kept: dict[str, list[Kept]]) -> None:
        self._kept = {(name, block.start): block for name, blocks in kept.items() for block in blocks}

    def _clean(self) -> None:
        """Remove files of blocks that the checkpoint does not name."""
        named = {block.file for block in self._kept.values()}
        for number in set(_numbers(self.folder)) - named:
            with contextlib.suppress(OSError):
                self._blocks(number).unlink()

    def _blocks(self, number: int) -> Path:
        return self.folder / BLOCKS.format(number)


def _numbers(folder: Path) -> Iterator[int]:
    """The numbers of the files of blocks in a folder."""
    for path in folder.glob(BLOCKS.format("*")):
        found = re.fullmatch(BLOCKS.format(r"(\d+)"), path.name)
        if found:
            yield int(found[1])


def _packed(block: Array) -> Array:
    """Bytes deflated; numbers, which would not shrink, as they are."""
    return np.frombuffer(zlib.compress(block.data, DEFLATE), np.uint8) if block.dtype == np.uint8 else block


def _unpacked(packed: Array, like: Array) -> Array:
    """A block of the shape and dtype of `like`; raises ValueError when it is not."""
    if like.dtype != np.uint8:
        if packed.shape != like.shape or packed.dtype != like.dtype:
            raise ValueError(f"a block is {packed.dtype}{packed.shape}, not {like.dtype}{like.shape}")
        return packed
    inflate = zlib.decompressobj()
    try:
        raw = inflate.decompress(packed.tobytes(), like.nbytes + 1)
    except zlib.error as problem:
        raise ValueError(f"a block is damaged: {problem}") from None
    if len(raw) != like.nbytes:
        raise ValueError(f"a block has {len(raw)} bytes, not {like.nbytes}")
    return np.frombuffer(raw, np.uint8).reshape(like.shape)


def _rings(told: Any) -> dict[str, tuple[dict[str, Any], list[Kept]]]:
    """{ring: (its shape and dtype, its blocks)}."""
    rings = {}
    for name, entry in told.items():
        kept = [Kept(*block) for block in entry["blocks"]]
        if not all(type(n) is int for block in kept for n in block[:4]) or not all(
            type(block.name) is str for block in kept
        ):
            raise ValueError(f"the blocks of {name} are not described by numbers")
        rings[name] = (entry, kept)
    return rings


def _joined(like: dict[str, Any], kept: list[Kept], packs: dict[int, dict[str, Array]]) -> Array:
    """The whole array of a ring; rows that were never written are zero."""
    whole = np.zeros(tuple(like["shape"]), np.dtype(like["dtype"]))
    for block in kept:
        if block.name not in packs[block.file]:
            raise ValueError(f"the checkpoint's block {block.name} is missing")
        rows = whole[block.start : block.stop]
        rows[...] = _unpacked(packs[block.file][block.name], rows)
    return whole
