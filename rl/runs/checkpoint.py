"""The checkpoint of a run: its whole state, written in the background while training continues.

    checkpoint.safetensors   the state as JSON and arrays, and for every Ring the list of its blocks
    checkpoint-{n}.blocks    blocks of the Rings that were new in checkpoint n; never changed afterwards

`save` copies what is new and starts a thread. The thread packs the blocks (bytes are deflated: screens shrink
to a hundredth), writes them and syncs them to disk. Only then does it replace checkpoint.safetensors
atomically, and at last it removes block files that are no longer named there. A process killed at any moment
leaves either the previous checkpoint or the new one.
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
from rl.core.ring import Block, Ring
from rl.runs import state_file
from rl.runs.state_tree import pack

NAME = "checkpoint.safetensors"
BLOCKS = "checkpoint-{}.blocks"
DEFLATE = 1  # zlib's fastest level


class StoredBlock(NamedTuple):
    """Where rows start..stop of a ring are stored: as `name` in block file number `file`.

    stamp  of the block when it was stored, see rl.core.ring.Block
    """

    start: int
    stop: int
    stamp: int
    file: int
    name: str


class Snapshot(NamedTuple):
    """Everything that the thread writes; training no longer changes it."""

    tree: Any
    arrays: dict[str, Array]
    stored: dict[str, list[StoredBlock]]  # of every ring
    rings: dict[str, dict[str, Any]]  # shape and dtype of every ring
    fresh: dict[str, Array]  # blocks that no file holds yet
    number: int


class Checkpoints:
    """The checkpoints of the run in `folder`; each replaces the one before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / NAME
        self._stored: dict[tuple[str, int], StoredBlock] = {}  # by ring and first row, of the last checkpoint
        self._number = 1 + max(_numbers(folder), default=0)
        self._thread: threading.Thread | None = None
        self._problem: BaseException | None = None

    @property
    def busy(self) -> bool:
        """A checkpoint is being written."""
        return self._thread is not None and self._thread.is_alive()

    def save(self, state: dict[str, Any], files: Sequence[Path] = ()) -> None:
        """Copy the state and write it in the background, after waiting for the previous checkpoint.

        files  to sync to disk before the checkpoint, because the state refers to them

        Raises OSError when the previous checkpoint could not be written; its files are then unchanged.
        """
        self.wait()
        snapshot = self._take_snapshot(state)
        self._thread = threading.Thread(
            target=self._write, args=(snapshot, list(files)), name="checkpoint", daemon=True
        )
        self._thread.start()

    def wait(self) -> None:
        """Return when the last checkpoint is on disk; raises the error that stopped it."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        problem, self._problem = self._problem, None
        if problem is not None:
            raise problem

    def load(self) -> dict[str, Any]:
        """Read the state of the last checkpoint; remove the leftovers of killed writers.

        Raises FileNotFoundError, or ValueError naming the fault.
        """
        arrays, metadata = state_file.read(self.path)
        try:
            rings = _parse_rings(strict_json.loads(metadata["rings"]))
        except (KeyError, TypeError, AttributeError) as problem:
            raise ValueError(f"{self.path} is not usable: its rings lack {problem}") from None
        numbers = {block.file for _, stored in rings.values() for block in stored}
        packs = {number: state_file.read(self._block_file(number))[0] for number in numbers}
        whole = {name: _join(like, stored, packs) for name, (like, stored) in rings.items()}
        self._remember({name: stored for name, (_, stored) in rings.items()})
        self._remove_unused()
        sweep(self.folder)
        return state_file.tree_of(metadata, arrays, whole)

    def _take_snapshot(self, state: dict[str, Any]) -> Snapshot:
        arrays: dict[str, Array] = {}
        rings: dict[str, Ring] = {}
        tree = pack(state, arrays, rings)
        number, self._number = self._number, self._number + 1
        stored: dict[str, list[StoredBlock]] = {}
        fresh: dict[str, Array] = {}
        for name, ring in rings.items():
            stored[name] = [self._store(name, ring, block, number, fresh) for block in ring.blocks()]
        likes = {
            name: {"dtype": ring.array.dtype.str, "shape": list(ring.shape)} for name, ring in rings.items()
        }
        copies = {name: array.copy() for name, array in arrays.items()}
        return Snapshot(tree, copies, stored, likes, fresh, number)

    def _store(
        self, name: str, ring: Ring, block: Block, number: int, fresh: dict[str, Array]
    ) -> StoredBlock:
        """Find where the block is stored; copy it into `fresh` if it changed or its file is gone."""
        rows = block.rows
        known = self._stored.get((name, rows.start))
        if known is not None and (known.stop, known.stamp) == (rows.stop, block.stamp):
            if self._block_file(known.file).exists():
                return known
        key = f"{name}/{rows.start}"
        fresh[key] = ring.array[rows].copy()
        return StoredBlock(rows.start, rows.stop, block.stamp, number, key)

    def _write(self, snapshot: Snapshot, files: list[Path]) -> None:
        try:
            for path in filter(Path.exists, files):
                sync_file(path)
            if snapshot.fresh:
                packed = {name: _deflate(block) for name, block in snapshot.fresh.items()}
                snapshot.fresh.clear()
                state_file.write(self._block_file(snapshot.number), packed, {})
            rings = {
                name: {**like, "blocks": [list(block) for block in snapshot.stored[name]]}
                for name, like in snapshot.rings.items()
            }
            metadata = {"tree": strict_json.dumps(snapshot.tree), "rings": strict_json.dumps(rings)}
            state_file.write(self.path, snapshot.arrays, metadata)
            self._remember(snapshot.stored)
            self._remove_unused()
        except BaseException as problem:  # raised by the next wait()
            self._problem = problem

    def _remember(self, stored: dict[str, list[StoredBlock]]) -> None:
        self._stored = {(name, block.start): block for name, blocks in stored.items() for block in blocks}

    def _remove_unused(self) -> None:
        """Remove block files that the checkpoint does not name."""
        named = {block.file for block in self._stored.values()}
        for number in set(_numbers(self.folder)) - named:
            with contextlib.suppress(OSError):
                self._block_file(number).unlink()

    def _block_file(self, number: int) -> Path:
        return self.folder / BLOCKS.format(number)


def _numbers(folder: Path) -> Iterator[int]:
    """Iterate over the numbers of the block files in a folder."""
    for path in folder.glob(BLOCKS.format("*")):
        found = re.fullmatch(BLOCKS.format(r"(\d+)"), path.name)
        if found:
            yield int(found[1])


def _deflate(block: Array) -> Array:
    """Compress a block of bytes; return numbers, which would not shrink, unchanged."""
    return np.frombuffer(zlib.compress(block.data, DEFLATE), np.uint8) if block.dtype == np.uint8 else block


def _inflate(packed: Array, like: Array) -> Array:
    """Undo `_deflate`; raises ValueError unless the block has the shape and dtype of `like`."""
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


def _parse_rings(entries: Any) -> dict[str, tuple[dict[str, Any], list[StoredBlock]]]:
    """Check the JSON of the rings; {name: (shape and dtype, blocks)}."""
    rings = {}
    for name, entry in entries.items():
        stored = [StoredBlock(*block) for block in entry["blocks"]]
        for block in stored:
            if not all(type(number) is int for number in block[:4]) or type(block.name) is not str:
                raise ValueError(f"the blocks of {name} are not described by numbers")
        rings[name] = (entry, stored)
    return rings


def _join(like: dict[str, Any], stored: list[StoredBlock], packs: dict[int, dict[str, Array]]) -> Array:
    """Assemble the whole array of a ring; rows that were never written are zero."""
    whole = np.zeros(tuple(like["shape"]), np.dtype(like["dtype"]))
    for block in stored:
        if block.name not in packs[block.file]:
            raise ValueError(f"the checkpoint's block {block.name} is missing")
        rows = whole[block.start : block.stop]
        rows[...] = _inflate(packs[block.file][block.name], rows)
    return whole
