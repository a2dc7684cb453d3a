"""Model files: safetensors, with the architecture and a checksum in its metadata.

A file can name layers of nnlite and numbers for them, nothing else: no pickle, no import of a name, no code. What does
not fit (class, name, shape, dtype, checksum) is refused with ValueError before the model is touched.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from nnlite.models import Sequential

Array = np.ndarray[Any, np.dtype[Any]]
FORMAT = "nnlite-1"
MAX_WEIGHTS = 1 << 28  # a gigabyte of float32: larger architectures are refused before anything is allocated


def save_model(model: Sequential, path: Any, overwrite: bool = True, include_optimizer: bool = False) -> None:
    """Write the model; with include_optimizer also what its next training step depends on.

    Raises FileExistsError when the file is there and overwrite is False.
    """
    target = Path(path)
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists; overwrite=True replaces it")
    tensors = model_tensors(model.build())
    metadata = {"format": FORMAT, "architecture": json.dumps(model.get_config())}
    if include_optimizer and model._training is not None:
        model._training.bind()
        tensors |= {f"optimizer/{k}": v for k, v in model.optimizer.get_state().items()}
        metadata["compiled"] = json.dumps({"optimizer": model.optimizer.get_config(), "loss": model._training.loss.__name__})
    write_tensors(target, tensors, metadata)


def load_model(path: Any) -> Sequential:
    """The model that save_model wrote. Raises FileNotFoundError, or ValueError naming what is wrong with the file."""
    tensors, metadata = read_tensors(path)
    config = _architecture(metadata)
    optimizer = {k.removeprefix("optimizer/"): tensors.pop(k) for k in list(tensors) if k.startswith("optimizer/")}
    expected_size = sum(int(t.size) for t in tensors.values())
    model = _model_of(config, expected_size)
    load_tensors(model, tensors)
    if "compiled" in metadata:
        _compile(model, metadata["compiled"], optimizer)
    return model


def model_tensors(model: Sequential) -> dict[str, Array]:
    """{"layer/weight": array} of every weight, trained or carried."""
    return {f"{layer.name}/{w.name}": w.value for layer in model.layers for w in layer.weights}


def load_tensors(model: Sequential, tensors: dict[str, Array]) -> None:
    """Fill a built model; raises ValueError, and changes nothing, unless names, shapes and dtypes are exactly the model's."""
    wanted = model_tensors(model)
    if set(wanted) != set(tensors):
        missing, extra = sorted(set(wanted) - set(tensors)), sorted(set(tensors) - set(wanted))
        raise ValueError(f"the file's weights are not this model's: missing {missing[:3]}, unknown {extra[:3]}")
    for name, array in tensors.items():
        if array.shape != wanted[name].shape or array.dtype != wanted[name].dtype:
            raise ValueError(f"weight {name} is {array.dtype}{array.shape}, the model needs {wanted[name].dtype}{wanted[name].shape}")
        if not np.isfinite(array).all():
            raise ValueError(f"weight {name} holds NaN or infinity")
    for name, array in tensors.items():
        wanted[name][...] = array


def write_tensors(path: Path, tensors: dict[str, Array], metadata: dict[str, str]) -> None:
    """A safetensors file with a checksum of its payload, replaced atomically."""
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(array).reshape(np.shape(array)) for name, array in tensors.items()}
    atomic_write(Path(path), save(arrays, {**metadata, "sha256": checksum(arrays, metadata)}))


def read_tensors(path: Any) -> tuple[dict[str, Array], dict[str, str]]:
    """(tensors, metadata) of a file that write_tensors wrote; raises ValueError when it is anything else."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except FileNotFoundError:
        raise
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, OverflowError, AttributeError, RecursionError) as problem:
        raise ValueError(f"{path} is not a readable model file: {problem}") from None
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{path} is not an {FORMAT} file (format {metadata.get('format')!r})")
    stated = metadata.pop("sha256", None)
    if stated != checksum(tensors, metadata):
        raise ValueError(f"{path} is damaged: its checksum does not match")
    return tensors, metadata


def checksum(tensors: dict[str, Array], metadata: dict[str, str]) -> str:
    """SHA-256 over every name, dtype, shape, payload and every other metadata entry."""
    digest = hashlib.sha256()
    for key in sorted(metadata):
        digest.update(json.dumps([key, metadata[key]]).encode())
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(json.dumps([name, array.dtype.str, list(array.shape)]).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def atomic_write(path: Path, data: bytes) -> None:
    """The file holds either all of `data` or what it held before: temporary file beside it, fsync, replace, fsync the folder."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename durable; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _architecture(metadata: dict[str, str]) -> dict[str, Any]:
    try:
        config = json.loads(metadata["architecture"])
    except (KeyError, ValueError, RecursionError) as problem:
        raise ValueError(f"the file's architecture is unreadable: {problem}") from None
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        raise ValueError("the file's architecture is not a list of layers")
    return config


def _model_of(config: dict[str, Any], weights_in_file: int) -> Sequential:
    """Build the described model, having compared its size with the file's before anything is allocated."""
    try:
        size = Sequential.weights_of_config(config)
        if size > MAX_WEIGHTS or size != weights_in_file:
            raise ValueError(f"the architecture has {size} weights, the file {weights_in_file}")
        return Sequential.from_config(config, seed=0)
    except ValueError:
        raise
    except (TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError) as problem:
        raise ValueError(f"the file's architecture is unusable: {type(problem).__name__}: {problem}") from None


def _compile(model: Sequential, text: str, state: dict[str, Array]) -> None:
    try:
        compiled = json.loads(text)
        model.compile(compiled["optimizer"], compiled["loss"])
        model._compiled.bind()
        model.optimizer.set_state(state)
    except (KeyError, TypeError, RecursionError) as problem:
        raise ValueError(f"the file's optimizer is unusable: {problem}") from None
