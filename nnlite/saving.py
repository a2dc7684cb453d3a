"""Weights in files: names, shapes and dtypes are checked against a network before a number is copied.

A model file is a safetensors file (see tensor_file) whose metadata holds the architecture as JSON. It can
name nnlite's layers and their numbers, and what you registered or gave of your own: no pickle, no import of a
name, no code. A class, name, shape, dtype or checksum that does not fit is a ValueError, before an array is
allocated or a network changed. `models` loads whole models with these functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from nnlite import strict_json
from nnlite.arrays import Array
from nnlite.names import collected, custom_objects
from nnlite.names import serialize as serialize
from nnlite.network import Network
from nnlite.registration import check_remade, own_pieces
from nnlite.registration import register as register
from nnlite.tensor_file import Spec, read_tensors, write_tensors
from nnlite.utils import flag, missing_name

T = TypeVar("T")
FORMAT = "nnlite-1"
MAX_WEIGHTS = 1 << 28  # a gigabyte of float32
MAX_LAYERS = 1000
OPTIMIZER = "optimizer/"  # prefix of the optimizer's arrays; a layer may have this name too


def model_tensors(model: Network) -> dict[str, Array]:
    """Return {"layer/weight": array} of every weight, trained or not. The arrays are the network's own."""
    return {f"{layer.name}/{w.name}": w.value for layer in model.layers for w in layer.weights}


def load_tensors(model: Network, tensors: dict[str, Array]) -> None:
    """Copy the arrays into a built network.

    Raises ValueError, and changes nothing, unless they pass `fits` and every number is finite.
    """
    fits(model, tensors)
    for name, array in tensors.items():
        if not np.isfinite(array).all():
            raise ValueError(f"weight {name} holds NaN or infinity")
    with model.lock:
        for name, value in model_tensors(model).items():
            value[...] = tensors[name]


def free_path(path: Any, overwrite: bool) -> Path:
    """Return the path; FileExistsError if there is a file and `overwrite` is False."""
    target = Path(path)
    if not flag(overwrite, "overwrite") and target.exists():
        raise FileExistsError(f"{target} exists; overwrite=True replaces it")
    return target


def save_model(
    model: Any,
    path: Any,
    overwrite: bool = True,
    include_optimizer: bool = False,
    notes: Mapping[str, str] | None = None,
) -> None:
    """Write architecture and weights of a Sequential to a safetensors file.

    include_optimizer  write the compiled loss and optimizer and its moments too, to continue training
    notes              the caller's own texts for the file's metadata; load_model does not read them

    A class of your own is written under the name it was registered by, else under its plain name; load_model
    then needs it in custom_objects. Raises ValueError if a piece of your own could not be loaded again, and
    FileExistsError if the file exists and overwrite is False.
    """
    target, trains = free_path(path, overwrite), flag(include_optimizer, "include_optimizer")
    tensors = model_tensors(model.build())
    config, training = loadable_config(model, trains)
    own = {"format": FORMAT, "architecture": strict_json.dumps(config)}
    if training is not None:
        own["compiled"] = strict_json.dumps(training)
        state = {f"{OPTIMIZER}{name}": array for name, array in model.optimizer.get_state().items()}
        if taken := sorted(set(state) & set(tensors)):
            raise ValueError(f"a weight and an array of the optimizer are both called {taken[0]!r}")
        tensors |= state
    write_tensors(target, tensors, {**(notes or {}), **own})


def loadable_config(model: Any, trains: bool = False) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return a Sequential's architecture, and its optimizer and loss if it `trains`, as plain values.

    Raises ValueError, naming the piece of your own, unless load_model could make the model of them.
    """
    training = None
    with collected() as pieces:
        config = model.get_config()
        if trains and model._training is not None:
            model._training.bind()
            training = model.get_compile_config()
    with custom_objects(own_pieces(pieces)):
        for piece in pieces:
            check_remade(piece)
        fits(usable(lambda: type(model).without_weights(config)), model_tensors(model))
    return config, training


def save_weights(model: Network, path: Any, overwrite: bool = True) -> None:
    """Write the weights of a built network, without its architecture."""
    write_tensors(free_path(path, overwrite), model_tensors(model), {"format": FORMAT})


def load_weights(model: Network, path: Any) -> None:
    """Copy the weights of a file into a built network; those of an optimizer are left.

    Raises ValueError, and changes nothing, unless the file holds exactly the network's weights.
    """
    tensors, _ = read_tensors(path, lambda specs, _: fits(model, split_tensors(model, specs)[0]))
    load_tensors(model, split_tensors(model, tensors)[0])


def split_tensors(model: Network, tensors: Mapping[str, T]) -> tuple[dict[str, T], dict[str, T]]:
    """Split a file's arrays into those of the model, and the optimizer's without their prefix.

    What is neither stays with the model's, where `fits` names it.
    """
    own = {f"{layer.name}/{weight.name}" for layer in model.layers for weight in layer.weights}
    others = {name for name in tensors if name not in own and name.startswith(OPTIMIZER)}
    state = {name.removeprefix(OPTIMIZER): tensors[name] for name in tensors if name in others}
    return {name: value for name, value in tensors.items() if name not in others}, state


def fits(model: Network, specs: dict[str, Any]) -> None:
    """Raise ValueError unless names, shapes and dtypes are exactly the network's.

    specs  {"layer/weight": anything with a dtype and a shape}
    """
    wanted = {f"{layer.name}/{w.name}": w for layer in model.layers for w in layer.weights}
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


def architecture(metadata: dict[str, str]) -> dict[str, Any]:
    """Return the architecture that a model file states; ValueError when it is not a list of layers."""
    if metadata.get("format") != FORMAT:
        raise ValueError(f"it is not an {FORMAT} file (format {metadata.get('format')!r})")
    try:
        config = strict_json.loads(metadata["architecture"])
    except KeyError:
        what = "there is none, as in a file of save_weights"
        raise ValueError(f"the file's architecture is unreadable: {what}") from None
    except ValueError as problem:
        raise ValueError(f"the file's architecture is unreadable: {problem}") from None
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        raise ValueError("the file's architecture is not a list of layers")
    if len(config["layers"]) > MAX_LAYERS:
        raise ValueError(
            f"the file's architecture has {len(config['layers'])} layers; {MAX_LAYERS} are the most"
        )
    return config


def usable(make: Callable[[], T]) -> T:
    """Call `make`, which uses an architecture from a file; turn its errors into ValueError."""
    try:
        return make()
    except (ValueError, MemoryError):
        raise
    except Exception as problem:  # of a class of the user's too, with arguments from the file
        raise ValueError(
            f"the file's architecture is unusable: {type(problem).__name__}: {problem}"
        ) from None


def check_arrays(declared: Network, specs: dict[str, Spec]) -> None:
    """Raise ValueError unless a file's arrays are those of its architecture, and few enough to allocate.

    declared  a network of the file's architecture; its weights need not be allocated
    """
    weights, others = split_tensors(declared, specs)
    every = [weight for layer in declared.layers for weight in layer.weights]
    size = sum(weight.size for weight in every)
    if size > MAX_WEIGHTS:
        raise ValueError(f"its architecture has {size} weights; {MAX_WEIGHTS} are the most")
    fits(declared, weights)
    flat = (sum(weight.size for weight in every if weight.trainable),)
    for name, spec in others.items():
        if spec.shape not in ((), flat):
            raise ValueError(f"array {name[:50]!r} is no optimizer's: its shape is {spec.shape}")


def __getattr__(name: str) -> Any:
    there = ["load_weights", "register", "save_model", "save_weights", "serialize"]
    raise missing_name("nnlite.saving", name, there)
