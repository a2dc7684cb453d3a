"""The names that stand for classes and functions in configs and files.

nnlite's own have the names of its registries. A class or function of your own has the name it was registered
under, or its plain name. No name is ever imported: it stands for what is registered or given, or for nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from nnlite.utils import snake_case

T = TypeVar("T")
REGISTERED: dict[str, Any] = {}
"""Name -> class or function of your own; see nnlite.saving.register."""

_given: ContextVar[Mapping[str, Any] | None] = ContextVar("given", default=None)
_pieces: ContextVar[list[Any] | None] = ContextVar("pieces", default=None)


@contextmanager
def custom_objects(given: Mapping[str, Any] | None) -> Iterator[None]:
    """Let these names stand for these classes and functions inside the `with`, and read as from a file."""
    token = _given.set({**(_given.get() or {}), **(given or {})})
    try:
        yield
    finally:
        _given.reset(token)


@contextmanager
def collected() -> Iterator[list[Any]]:
    """Collect every object whose config is taken inside the `with`."""
    found: list[Any] = []
    token = _pieces.set(found)
    try:
        yield found
    finally:
        _pieces.reset(token)


def is_nnlites(thing: Any) -> bool:
    """Return whether a class or function is a part of nnlite."""
    return str(getattr(thing, "__module__", "")).partition(".")[0] == "nnlite"


def own_name(thing: Any) -> str:
    """Return the name of a class or function of your own: the registered one, or its plain name."""
    plain = getattr(thing, "__name__", type(thing).__name__)
    return next((name for name, there in REGISTERED.items() if definition(there) == definition(thing)), plain)


def definition(thing: Any) -> tuple[str, str]:
    """Return module and name of a class or function: where its text stands."""
    return str(thing.__module__), str(getattr(thing, "__qualname__", ""))


def registry_name(thing: object) -> str:
    """Return the name of an object's class: in snake case, or that of your own class."""
    cls = type(thing)
    return snake_case(cls.__name__) if is_nnlites(cls) else own_name(cls)


def collect(thing: Any) -> None:
    """Count an object among the pieces of what is about to be saved."""
    pieces = _pieces.get()
    if pieces is not None:
        pieces.append(thing)


def serialize(thing: Any) -> dict[str, Any]:
    """Return {"name": its name, ...its arguments}, which makes an equal object in another one's config.

    Raises ValueError for an object without get_config.
    """
    if inspect.isfunction(thing):
        collect(thing)
        return {"name": own_name(thing)}
    if not hasattr(thing, "get_config"):
        raise ValueError(f"{type(thing).__name__} has no get_config: it cannot be a part of a config")
    config: dict[str, Any] = thing.get_config()
    collect(thing)  # after the pieces that it is made of
    return config if is_nnlites(type(thing)) else {**config, "name": own_name(type(thing))}


def find(name: str, kind: type | None = None) -> Any:
    """Return what a name of your own stands for: a subclass of `kind`, or a function if that is None."""
    given = _given.get() or {}
    found = given.get(name, REGISTERED.get(name))
    if kind is None:
        return found if inspect.isfunction(found) else None
    return found if inspect.isclass(found) and issubclass(found, kind) else None


def unknown(what: str, name: Any, there: Mapping[str, Any], kind: type | None = None) -> ValueError:
    """Make the error for a name that stands for nothing; it lists those that do."""
    own = [other for other in {**REGISTERED, **(_given.get() or {})} if find(other, kind) is not None]
    text = f"unknown {what} {name!r}; there are {', '.join(sorted({*there, *own}))}"
    if _given.get() is not None and isinstance(name, str):
        text += f"; your own: register it (nnlite.saving.register), or give custom_objects={{{name!r}: ...}}"
    return ValueError(text)


def from_registry(identifier: Any, registry: Mapping[str, type[T]], kind: type[T], what: str) -> T:
    """Return the object that a name, a class, a config {"name": ..., ...} or the object itself stands for.

    Raises ValueError that lists the known names.
    """
    if isinstance(identifier, kind):
        return identifier
    if inspect.isclass(identifier) and issubclass(identifier, kind):
        return identifier()
    if isinstance(identifier, dict):
        arguments = dict(identifier)
        name = arguments.pop("name", None)
    else:
        name, arguments = identifier, {}
    if not isinstance(name, str):
        raise ValueError(f"{identifier!r} names no {what}; there are {', '.join(sorted(registry))}")
    found = find(name, kind) or registry.get(name.lower()) or _by_class_name(name, registry)
    if found is None:
        raise unknown(what, name, registry, kind)
    try:
        return found(**arguments)
    except TypeError as problem:
        raise ValueError(f"{what} {name!r}: {problem}") from None


def _by_class_name(name: str, registry: Mapping[str, type[T]]) -> type[T] | None:
    return next((cls for cls in registry.values() if cls.__name__ == name), None)
