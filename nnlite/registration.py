"""Layers, losses and other pieces of your own in files: their names, and the check that they come back.

A file may name a class or function that is registered, or given to load_model as custom_objects. Its code is
never in the file.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from nnlite import activations, initializers, layers, losses, metrics, optimizers, regularizers, strict_json
from nnlite.layers import Layer
from nnlite.names import REGISTERED, definition, is_nnlites, own_name
from nnlite.optimizers import schedules

BASES = (
    Layer,
    activations.Activation,
    initializers.Initializer,
    regularizers.Regularizer,
    losses.Loss,
    metrics.Metric,
    optimizers.Optimizer,
    schedules.LearningRateSchedule,
)
REMEDY = "@nnlite.saving.register(name=...) gives it another"


def register(thing: Any = None, *, name: str | None = None, package: str | None = None) -> Any:
    """Decorate a class or function of your own, so that files may name it.

    name     its name in files; the name of the class or function by default
    package  a prefix of the name: "package>name"

    The same definition may be registered again, as a cell of a notebook does. Raises ValueError for a name
    that is nnlite's, or that of another definition, and TypeError for what no file can name.
    """
    if thing is None:
        return functools.partial(register, name=name, package=package)
    if not is_piece(thing) or is_nnlites(thing):
        kinds = ", ".join(base.__name__ for base in BASES)
        raise TypeError(f"register needs a function of yours, or your subclass of {kinds}, not {thing!r}")
    parts = [package, thing.__name__ if name is None else name]
    full = ">".join(text_of(part) for part in parts if part is not None)
    check_name(full)
    held = REGISTERED.get(full)
    if held is not None and definition(held) != definition(thing):
        raise ValueError(f"{full!r} is registered already, for {'.'.join(definition(held))}; {REMEDY}")
    REGISTERED[full] = thing
    return thing


def text_of(value: Any) -> str:
    """Return a part of a name. Raises TypeError unless it is a text of at least one letter."""
    if not isinstance(value, str) or not value:
        raise TypeError(f"name and package must be texts, not {value!r}")
    return value


def check_name(name: str) -> None:
    """Raise ValueError if a class or function of your own cannot have this name in files."""
    if "<lambda>" in name:
        raise ValueError("a lambda has no name for a file; define a function")
    if name.lower() in nnlites_names():
        raise ValueError(f"{name!r} is a name of nnlite's own; {REMEDY}")


@functools.cache
def nnlites_names() -> frozenset[str]:
    """Return the names of nnlite's own pieces, in small letters."""
    registries: list[Mapping[str, Any]] = [layers.REGISTRY, activations.REGISTRY, initializers.REGISTRY]
    registries += [regularizers.REGISTRY, losses.REGISTRY, metrics.REGISTRY]
    registries += [optimizers.REGISTRY, schedules.REGISTRY]
    found = {name for registry in registries for name in registry}
    found |= {thing.__name__ for registry in registries for thing in registry.values()}
    return frozenset(name.lower() for name in found)


def is_piece(thing: Any) -> bool:
    """Return whether files may name it: a function, or a subclass of one of nnlite's base classes."""
    return inspect.isfunction(thing) or (inspect.isclass(thing) and issubclass(thing, BASES))


def checked_objects(given: Any) -> dict[str, Any]:
    """Return custom_objects, {name: class or function}, as a dict; None is empty. ValueError for others."""
    if given is None:
        return {}
    good = isinstance(given, Mapping) and all(isinstance(name, str) for name in given)
    if not good or not all(is_piece(thing) for thing in given.values()):
        raise ValueError(f"custom_objects must be {{name: class or function}}, not {given!r}")
    for name in given:
        check_name(name)
    return dict(given)


def own_pieces(pieces: Iterable[Any]) -> dict[str, Any]:
    """Return the classes and functions of your own among these objects, by their names.

    Raises ValueError if one cannot be named, or two have one name.
    """
    found: dict[str, Any] = {}
    for piece in pieces:
        kind = piece if inspect.isfunction(piece) else type(piece)
        if is_nnlites(kind):
            continue
        name = own_name(kind)
        check_name(name)
        registered = REGISTERED.get(name, kind)
        if found.setdefault(name, kind) is not kind or definition(registered) != definition(kind):
            raise ValueError(f"two different pieces are called {name!r}; {REMEDY}")
    return found


def check_remade(piece: Any) -> None:
    """Raise ValueError unless an object of your own is made again by its config, as it stands in a file."""
    cls = type(piece)
    if inspect.isfunction(piece) or is_nnlites(cls):
        return
    fault = fault_of(cls, piece.get_config())
    if fault:
        raise ValueError(f"{cls.__name__} cannot be saved: {fault}")


def fault_of(cls: type, config: dict[str, Any]) -> str:
    """Return why a class makes no object with this config, or another one; "" if all is well."""
    if not issubclass(cls, Layer):  # there the name is the object's own
        config = {name: value for name, value in config.items() if name != "name"}
    left_out = [name for name in arguments_of(cls) if name not in config]
    if left_out:
        return f"its get_config leaves out {left_out[0]!r}, an argument of __init__; add it"
    try:
        text = strict_json.dumps(config)
    except (TypeError, ValueError) as problem:
        return f"its get_config must hold plain values: {problem}"
    plain = strict_json.loads(text)
    try:
        again = strict_json.loads(strict_json.dumps(cls(**plain).get_config()))
    except Exception as problem:  # of code that is not nnlite's
        return f"its __init__ does not take what its get_config gives: {problem}"
    changed = [name for name, value in plain.items() if name not in again or again[name] != value]
    return f"made again by its get_config, it has another {changed[0]!r}" if changed else ""


def arguments_of(cls: type) -> list[str]:
    """Return the arguments of your own class's __init__ that its config must have."""
    if is_nnlites(cls.__init__):  # type: ignore[misc]
        return []
    usual = {*inspect.signature(Layer).parameters, "lr"}
    found = inspect.signature(cls).parameters.values()
    return [p.name for p in found if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and p.name not in usual]
