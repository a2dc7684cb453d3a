"""Named arrays and texts in a safetensors file: written atomically, checked before an array is allocated.

The safetensors library writes and reads the file. Its metadata has one entry, "nnlite": JSON with the texts
and a SHA-256 of everything. One entry, because the library writes several in random order, and equal content
must give equal bytes.

Reading checks, in this order: the header's size; its JSON, strictly; every dtype, shape and offset against
the file's size; the caller's own check. Only then are arrays allocated. Every fault is a ValueError naming
it.
"""

from __future__ import annotations

import contextlib
import errno
import io
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from nnlite import strict_json
from nnlite.arrays import Array

ENTRY = "nnlite"
MAX_HEADER = 1 << 24  # bytes; ours have a few thousand
DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
    "BOOL": "|b1",
}


class Spec(NamedTuple):
    """dtype and shape of one array, as the file's header states them."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]


Check = Callable[[dict[str, Spec], dict[str, str]], None]


def write_tensors(path: Path, tensors: dict[str, Array], metadata: dict[str, str]) -> None:
    """Replace the file atomically and durably. Raises ValueError for a dtype that is not in DTYPES."""
    atomic_write(Path(path), tensors_to_bytes(tensors, metadata))


def tensors_to_bytes(tensors: dict[str, Array], metadata: dict[str, str]) -> bytes:
    """Return the content of the file that write_tensors writes."""
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(array).reshape(np.shape(array)) for name, array in tensors.items()}
    for name, array in arrays.items():
        if array.dtype.newbyteorder("<").str not in DTYPES.values():
            raise ValueError(f"an array of {array.dtype} cannot be kept ({name})")
    return save(arrays, {ENTRY: strict_json.dumps({**metadata, "sha256": checksum(arrays, metadata)})})


def read_tensors(path: Any, check: Check | None = None) -> tuple[dict[str, Array], dict[str, str]]:
    """Return (tensors, metadata) of a file that write_tensors wrote.

    check  called with ({name: Spec}, metadata) before any array is allocated; raises ValueError to refuse
    them

    Raises FileNotFoundError, or ValueError for every other fault.
    """
    try:
        with open(path, "rb") as file:
            return _read(file, os.fstat(file.fileno()).st_size, check)
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise ValueError(f"{path} cannot be read: {problem.strerror or problem}") from None
    except ValueError as problem:
        raise ValueError(f"{path} is not usable: {problem}") from None


def read_tensors_from_bytes(
    data: bytes, check: Check | None = None
) -> tuple[dict[str, Array], dict[str, str]]:
    """Return (tensors, metadata) of a file's content; see read_tensors."""
    return _read(io.BytesIO(data), len(data), check)


def _read(file: BinaryIO, size: int, check: Check | None) -> tuple[dict[str, Array], dict[str, str]]:
    start = file.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or not 2 <= length <= min(MAX_HEADER, size - 8):
        raise ValueError("it is no safetensors file: its header's length is impossible")
    header = file.read(length)
    specs, metadata = _parse(header, size - 8 - length)
    if check is not None:
        check(specs, metadata)
    file.seek(0)
    tensors = _arrays(file.read(), specs)
    stated = metadata.pop("sha256", None)
    if stated != checksum(tensors, metadata):
        raise ValueError("it is damaged: its checksum does not match")
    return tensors, metadata


def _parse(header: bytes, payload: int) -> tuple[dict[str, Spec], dict[str, str]]:
    """Return the header's specs and metadata. Raises ValueError unless they fit `payload` bytes of arrays."""
    found = strict_json.loads(header)
    if not isinstance(found, dict) or not isinstance(found.get("__metadata__"), dict):
        raise ValueError(f"it has no {ENTRY} entry: something else wrote it")
    outer = found.pop("__metadata__")
    if set(outer) != {ENTRY} or not isinstance(outer[ENTRY], str):
        raise ValueError(f"it has no {ENTRY} entry: something else wrote it")
    metadata = strict_json.loads(outer[ENTRY])
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise ValueError(f"its {ENTRY} entry is not a table of texts")
    specs = {name: _spec(name, entry) for name, entry in found.items()}
    total = sum(math.prod(spec.shape) * spec.dtype.itemsize for spec in specs.values())
    if total != payload:
        raise ValueError(f"its arrays take {total} bytes, the file has {payload}")
    return specs, metadata


def _spec(name: str, entry: Any) -> Spec:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"array {name[:50]!r} is not described by dtype, shape and data_offsets")
    dtype, shape = entry["dtype"], entry["shape"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ValueError(f"array {name[:50]!r} has the unknown dtype {str(dtype)[:20]!r}")
    if (
        not isinstance(shape, list)
        or len(shape) > 32
        or any(type(n) is not int or not 0 <= n < 1 << 48 for n in shape)
    ):
        raise ValueError(f"array {name[:50]!r} has an impossible shape")
    return Spec(np.dtype(DTYPES[dtype]), tuple(shape))


def _arrays(data: bytes, specs: dict[str, Spec]) -> dict[str, Array]:
    from safetensors import SafetensorError, deserialize

    try:
        found = dict(deserialize(data))  # type: ignore[no-untyped-call]
    except (SafetensorError, ValueError, TypeError, OverflowError) as problem:
        raise ValueError(f"it is no safetensors file: {problem}") from None
    if set(found) != set(specs):
        raise ValueError("its header has a name that cannot be read back")
    arrays = {}
    for name, spec in specs.items():
        raw = np.frombuffer(found[name]["data"], np.uint8)
        if spec.dtype == bool and raw.size and raw.max() > 1:
            raise ValueError(f"array {name[:50]!r} has truth values that are neither 0 nor 1")
        array = raw.view(spec.dtype).reshape(spec.shape)
        arrays[name] = array if array.flags.writeable else array.copy()
    return arrays


def checksum(tensors: dict[str, Array], metadata: dict[str, str]) -> str:
    """Return the SHA-256 of every name, dtype, shape and number, and of every metadata entry but itself."""
    import hashlib  # 2 ms: a twentieth of importing nnlite

    digest = hashlib.sha256()
    for key in sorted(metadata):
        digest.update(strict_json.dumps([key, metadata[key]]).encode())
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        digest.update(strict_json.dumps([name, array.dtype.str, list(tensors[name].shape)]).encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def atomic_write(path: Path, data: bytes) -> None:
    """Write a file that holds all of `data`, or after a crash what it held before.

    Temporary file beside it, fsync, replace, fsync of the folder. Raises OSError, with the name of the file
    itself; FileNotFoundError if there is no such folder.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no folder for it", str(path))
    temporary = path.parent / f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as problem:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(problem, OSError) and problem.errno is not None:
            raise OSError(problem.errno, problem.strerror, str(path)) from problem
        raise
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Make durable what another writer put into this file."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder durable; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> list[Path]:
    """Remove the temporary files of killed writers from this folder; return their paths.

    No writer may be active.
    """
    stale = [path for path in folder.glob(".*.tmp") if path.is_file()]
    for path in stale:
        with contextlib.suppress(OSError):
            path.unlink()
    return stale
