"""The text of an object: its class, and those arguments that differ from the defaults."""

from __future__ import annotations

import inspect
from typing import Any


def arguments(thing: Any) -> dict[str, Any]:
    """Return {name: value} of those constructor's arguments that are attributes too."""
    names = inspect.signature(type(thing)).parameters
    return {name: getattr(thing, name) for name in names if hasattr(thing, name)}


def described(thing: Any) -> str:
    """Return `Dense(units=4, activation='relu')`, from get_config; object's own repr if it has none."""
    try:
        config = dict(thing.get_config())
    except (AttributeError, TypeError, ValueError):
        return object.__repr__(thing)
    needed = [p.name for p in inspect.signature(type(thing)).parameters.values() if p.default is p.empty]
    required = {name: config[name] for name in needed if name in config}
    usual = _defaults(type(thing), required)
    changed = {name: value for name, value in config.items() if name not in usual or usual[name] != value}
    parts = [f"{name}={_plain(value)}" for name, value in {**required, **changed}.items()]
    return f"{type(thing).__name__}({', '.join(parts)})"


def _defaults(cls: Any, required: dict[str, Any]) -> dict[str, Any]:
    """Return the config of a twin that was made with the required arguments alone."""
    try:
        return dict(cls(**required).get_config())
    except Exception:  # a class of one's own may need anything: show all
        return {}


def _plain(value: Any) -> str:
    """Show {"name": "l2", "l2": 0.1} as l2(l2=0.1), a list as a tuple, anything else by its repr."""
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        rest = ", ".join(f"{name}={_plain(inner)}" for name, inner in value.items() if name != "name")
        return f"{value['name']}({rest})" if rest else repr(value["name"])
    return repr(tuple(value)) if isinstance(value, list) else repr(value)
