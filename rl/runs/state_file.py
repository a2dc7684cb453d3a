"""A state (see state_tree) in one file: `save_state`, `load_state`. Atomic, durable, checked; no pickle."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from nnlite import strict_json
from nnlite.arrays import Array
from nnlite.tensor_file import read_tensors, write_tensors
from rl.runs.state_tree import pack, unpack

FORMAT = "rl-state-1"


def save_state(path: str | os.PathLike[str], state: dict[str, Any]) -> None:
    """Replace the file by this state.

    Raises TypeError for what a state cannot hold, OSError when it cannot be written; then the file is what it
    was before."""
    arrays: dict[str, Array] = {}
    rings: dict[str, Any] = {}
    tree = pack(state, arrays, rings)
    arrays |= {name: ring.array for name, ring in rings.items()}
    write(Path(path), arrays, {"tree": strict_json.dumps(tree)})


def load_state(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The state that save_state wrote; its arrays are writable.

    Raises FileNotFoundError, or ValueError naming what is wrong.
    """
    arrays, metadata = read(Path(path))
    return tree_of(metadata, arrays, arrays)


def write(path: Path, arrays: dict[str, Array], metadata: dict[str, str]) -> None:
    """A file of ours with these arrays and texts."""
    write_tensors(path, arrays, {"format": FORMAT, **metadata})


def read(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    """What `write` wrote."""
    arrays, metadata = read_tensors(path)
    if metadata.get("format") != FORMAT:
        raise ValueError(
            f"{path} is not usable: it is not an {FORMAT} file (format {metadata.get('format')!r})"
        )
    return arrays, metadata


def tree_of(metadata: dict[str, str], arrays: dict[str, Array], rings: dict[str, Array]) -> dict[str, Any]:
    """The state whose JSON stands in the metadata."""
    try:
        state = unpack(strict_json.loads(metadata["tree"]), arrays.__getitem__, rings.__getitem__)
    except (KeyError, TypeError) as problem:
        raise ValueError(f"the state lacks {problem}") from None
    if not isinstance(state, dict):
        raise ValueError("the state is no table")
    return state
