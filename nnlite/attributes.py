"""Attributes of layers, models and optimizers: to set one has an effect, or is an error.

argument()      a constructor's argument: set once, fixed afterwards
checked(check)  check(value, name) runs whenever it is set, and returns what is stored
ruled(rule)     the same with a rule that looks at the object too
Guarded         the base of classes that refuse a name they do not declare, and keep their arrays
"""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from nnlite.arrays import Array
from nnlite.description import described
from nnlite.utils import numbers

OURS = ("nnlite", "rl")  # the packages whose classes take no other names
Rule = Callable[[Any, str, Any], Any]
"""rule(object, name, value) returns what is stored, or raises."""


class Declared:
    """The mark that `ruled` leaves in the body of a class, until Guarded takes it out."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule


def ruled(rule: Rule) -> Any:
    """Declare a name in the body of a class, and the rule for setting it."""
    return Declared(rule)


def argument() -> Any:
    """Declare a constructor's argument: a second value raises AttributeError."""
    return ruled(only_once)


def checked(check: Callable[[Any, str], Any]) -> Any:
    """Declare a value that check(value, name) converts or refuses, whenever it is set."""
    return ruled(lambda _, name, value: check(value, name))


def only_once(thing: Any, name: str, value: Any) -> Any:
    """Return the value; AttributeError if there is one already."""
    if hasattr(thing, name):
        kind = type(thing).__name__
        raise AttributeError(f"{name} of a {kind} is fixed when it is made; make a new {kind}")
    return value


put = object.__setattr__
"""put(object, name, value) sets an attribute of nnlite's own, without rules and in a third of the time."""


class Guarded:
    """Base of nnlite's objects. Setting an attribute that nothing reads raises AttributeError.

    A class declares names by annotations, properties, argument() and checked(). Methods may be replaced.
    Names that begin with _ are free, and a class of your own may set any name. An array that has a
    `_place` is never replaced: the values are copied into it.
    """

    _rules: Mapping[str, Rule] = {}

    def __init_subclass__(cls) -> None:
        own = {name: value.rule for name, value in vars(cls).items() if isinstance(value, Declared)}
        cls._rules = {**cls._rules, **own}
        for name in own:
            delattr(cls, name)  # reading the instance's value is faster without it

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            put(self, name, value)
            return
        cls: Any = type(self)
        known, is_closed = declared_names(cls)
        if is_closed and name not in known and not callable(getattr(cls, name, None)):
            raise AttributeError(unknown_name(cls, name, known))
        rule = cls._rules.get(name)
        if rule is not None:
            value = rule(self, name, value)
        place = self._place(name)
        if place is None:
            put(self, name, value)
        else:
            overwrite(place, value, name)

    def __repr__(self) -> str:
        return described(self)

    def _place(self, name: str) -> Array | None:
        """Return the array into which a new value must be copied, because others share its memory."""
        return None


@functools.cache
def declared_names(cls: Any) -> tuple[frozenset[str], bool]:
    """Return the names that a class and its bases declare, and whether it is closed to any other."""
    declared = {
        name
        for base in cls.__mro__
        for name, value in {**inspect.get_annotations(base), **vars(base)}.items()
        if name in inspect.get_annotations(base) or hasattr(value, "__set__")
        if not str(inspect.get_annotations(base).get(name)).startswith("ClassVar")
    }
    return frozenset(declared), cls.__module__.partition(".")[0] in OURS


def unknown_name(cls: type, name: str, known: frozenset[str]) -> str:
    """Explain that a name cannot be set, with the nearest one that can."""
    near = difflib.get_close_matches(name, known, 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{cls.__name__} has no {name!r}: setting it would have no effect{hint}"


def overwrite(array: Array, value: Any, name: str) -> None:
    """Copy a value of the same shape into an array that has to stay in its place."""
    values = numbers(value, name)
    if values.shape != array.shape:
        raise ValueError(f"{name} has the shape {array.shape}, not {values.shape}")
    array[...] = values
