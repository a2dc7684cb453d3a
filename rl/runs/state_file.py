"""Save and load a state (see state_tree) as one file: atomic, synced to disk, checked, without pickle."""

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
    """Write the state, replacing the file.

    Raises TypeError for a type that a state cannot hold, OSError when the file cannot be written; the old
    file is then unchanged.
    """
    arrays: dict[str, Array] = {}
    rings: dict[str, Any] = {}
    tree = pack(state, arrays, rings)
    arrays |= {name: ring.array for name, ring in rings.items()}
    write(Path(path), arrays, {"tree": strict_json.dumps(tree)})


def load_state(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the state that `save_state` wrote; its arrays are writable.

    Raises FileNotFoundError, or ValueError naming the fault.
    """
    arrays, metadata = read(Path(path))
    return tree_of(metadata, arrays, arrays)


def write(path: Path, arrays: dict[str, Array], metadata: dict[str, str]) -> None:
    """Write a state file with these arrays and texts."""
    write_tensors(path, arrays, {"format": FORMAT, **metadata})


def read(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    """Read the arrays and texts that `write` wrote; raises ValueError for a file of another format."""
    arrays, metadata = read_tensors(path)
    if metadata.get("format") != FORMAT:
        raise ValueError(
            f"{path} is not usable: it is not an {FORMAT} file (format {metadata.get('format')!r})"
        )
    return arrays, metadata


def tree_of(metadata: dict[str, str], arrays: dict[str, Array], rings: dict[str, Array]) -> dict[str, Any]:
    """Unpack the state whose JSON is in the metadata."""
    try:
        state = unpack(strict_json.loads(metadata["tree"]), arrays.__getitem__, rings.__getitem__)
    except (KeyError, TypeError) as problem:
        raise ValueError(f"the state lacks {problem}") from None
    if not isinstance(state, dict):
        raise ValueError("the state is no table")
    return state
