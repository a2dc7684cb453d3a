"""Model files: safetensors, with the architecture and a checksum in its metadata (see tensor_file).

A file can name layers of nnlite and numbers for them, nothing else: no pickle, no import of a name, no code.
What does not fit (class, name, shape, dtype, checksum) is refused with ValueError before an array is
allocated or a model touched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from nnlite import strict_json
from nnlite.arrays import Array
from nnlite.layer import Weight
from nnlite.models import Sequential
from nnlite.tensor_file import (
    Spec,
    atomic_write,
    checksum,
    read_tensors,
    read_tensors_from_bytes,
    sync_folder,
    write_tensors,
)

__all__ = [
    "atomic_write",
    "checksum",
    "fits",
    "load_model",
    "load_tensors",
    "load_weights",
    "model_from_bytes",
    "model_tensors",
    "read_tensors",
    "read_tensors_from_bytes",
    "save_model",
    "sync_folder",
    "write_tensors",
]

T = TypeVar("T")
FORMAT = "nnlite-1"
MAX_WEIGHTS = 1 << 28  # a gigabyte of float32
MAX_LAYERS = 1000
OPTIMIZER = "optimizer/"  # begins the names of the arrays that belong to the optimizer


def save_model(
    model: Sequential,
    path: Any,
    overwrite: bool = True,
    include_optimizer: bool = False,
    notes: Mapping[str, str] | None = None,
) -> None:
    """Write the model; with include_optimizer also what its next training step depends on.

    notes  texts of the caller's, kept in the file's metadata; load_model does not read them

    Raises FileExistsError when the file is there and overwrite is False.
    """
    target = Path(path)
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists; overwrite=True replaces it")
    tensors = model_tensors(model.build())
    metadata = {**(notes or {}), "format": FORMAT, "architecture": strict_json.dumps(model.get_config())}
    if include_optimizer and model._training is not None:
        model._training.bind()
        tensors |= {f"{OPTIMIZER}{k}": v for k, v in model.optimizer.get_state().items()}
        metadata["compiled"] = strict_json.dumps(
            {"optimizer": model.optimizer.get_config(), "loss": model._training.loss.__name__}
        )
    write_tensors(target, tensors, metadata)


def load_model(path: Any) -> Sequential:
    """The model that save_model wrote.

    Raises FileNotFoundError, or ValueError naming what is wrong with the file.
    """
    return _model_from(partial(read_tensors, path))


def model_from_bytes(data: bytes) -> Sequential:
    """As load_model, from the file's content."""
    return _model_from(partial(read_tensors_from_bytes, data))


def load_weights(model: Sequential, path: Any) -> None:
    """Fill a built model from a file; raises ValueError, and changes nothing, unless the weights are exactly
    the model's.
    """
    tensors, _ = read_tensors(path, lambda specs, _: fits(model, specs))
    load_tensors(model, tensors)


def _model_from(read: Any) -> Sequential:
    tensors, metadata = read(_describes_itself)
    model = _usable(lambda: Sequential.from_config(_architecture(metadata), seed=0))
    state = {
        name.removeprefix(OPTIMIZER): tensors.pop(name)
        for name in list(tensors)
        if name.startswith(OPTIMIZER)
    }
    load_tensors(model, tensors)
    if "compiled" in metadata:
        _compile(model, metadata["compiled"], state)
    elif state:
        raise ValueError("the file has an optimizer's arrays, but no optimizer")
    return model


def _describes_itself(specs: dict[str, Spec], metadata: dict[str, str]) -> None:
    """Raise ValueError unless the arrays of a file are those of its architecture, and no more than can be
    allocated.
    """
    if metadata.get("format") != FORMAT:
        raise ValueError(f"it is not an {FORMAT} file (format {metadata.get('format')!r})")
    config = _architecture(metadata)
    model = _usable(lambda: Sequential.declared(config))
    weights = {name: spec for name, spec in specs.items() if not name.startswith(OPTIMIZER)}
    size = sum(weight.size for layer in model.layers for weight in layer.weights)
    if size > MAX_WEIGHTS:
        raise ValueError(f"its architecture has {size} weights; {MAX_WEIGHTS} are the most")
    fits(model, weights)
    for name in set(specs) - set(weights):
        if specs[name].shape not in (
            (),
            (sum(w.size for layer in model.layers for w in layer.weights if w.trainable),),
        ):
            raise ValueError(f"array {name[:50]!r} is no optimizer's: its shape is {specs[name].shape}")


def model_tensors(model: Sequential) -> dict[str, Array]:
    """{"layer/weight": array} of every weight, trained or carried."""
    return {f"{layer.name}/{w.name}": w.value for layer in model.layers for w in layer.weights}


def fits(model: Sequential, specs: dict[str, Any]) -> None:
    """Raise ValueError unless names, shapes and dtypes are exactly the model's.

    specs  {"layer/weight": anything with a dtype and a shape}
    """
    wanted: dict[str, Weight] = {f"{layer.name}/{w.name}": w for layer in model.layers for w in layer.weights}
    if set(wanted) != set(specs):
        missing, extra = sorted(set(wanted) - set(specs)), sorted(set(specs) - set(wanted))
        raise ValueError(
            f"the file's weights are not this model's: missing {missing[:3]}, unknown {extra[:3]}"
        )
    for name, spec in specs.items():
        if spec.shape != wanted[name].shape or spec.dtype != model.dtype:
            raise ValueError(
                f"weight {name} is {spec.dtype}{spec.shape}, the model needs "
                f"{model.dtype}{wanted[name].shape}"
            )


def load_tensors(model: Sequential, tensors: dict[str, Array]) -> None:
    """Fill a built model; raises ValueError, and changes nothing, unless `fits` and every number is
    finite.
    """
    fits(model, tensors)
    for name, array in tensors.items():
        if not np.isfinite(array).all():
            raise ValueError(f"weight {name} holds NaN or infinity")
    for name, value in model_tensors(model).items():
        value[...] = tensors[name]


def _architecture(metadata: dict[str, str]) -> dict[str, Any]:
    try:
        config = strict_json.loads(metadata["architecture"])
    except KeyError:
        raise ValueError("the file's architecture is unreadable: there is none") from None
    except ValueError as problem:
        raise ValueError(f"the file's architecture is unreadable: {problem}") from None
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        raise ValueError("the file's architecture is not a list of layers")
    if len(config["layers"]) > MAX_LAYERS:
        raise ValueError(
            f"the file's architecture has {len(config['layers'])} layers; {MAX_LAYERS} are the most"
        )
    return config


def _usable(make: Callable[[], T]) -> T:
    """What `make` gives; whatever it makes of arguments that nobody would give is a ValueError."""
    try:
        return make()
    except ValueError:
        raise
    except (
        TypeError,
        KeyError,
        AttributeError,
        LookupError,
        ArithmeticError,
        RuntimeError,
        RecursionError,
    ) as problem:
        raise ValueError(
            f"the file's architecture is unusable: {type(problem).__name__}: {problem}"
        ) from None


def _compile(model: Sequential, text: str, state: dict[str, Array]) -> None:
    def compiled() -> None:
        told = strict_json.loads(text)
        model.compile(told["optimizer"], told["loss"])
        model._compiled.bind()
        model.optimizer.set_state(state)

    _usable(compiled)
