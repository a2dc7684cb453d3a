"""The page of --help, made from a settings dataclass: its fields, their types, defaults and docstrings."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import typing
from collections.abc import Iterator
from typing import Any, Literal

from rl.command.settings import GROUPS, OTHERS, RunName, Settings, format_flag
from rl.command.text import wrap

NO_BREAK = "\N{NO-BREAK SPACE}"  # a default stays on one line
COLUMN = 26  # column at which the descriptions begin
HELP_FLAGS = ("-h", "--help")


def make_help(program: str, summary: str, examples: tuple[str, ...], defaults: Any, width: int) -> str:
    """Return the whole page.

    program   as a user types it: "python -m rl.dqn"
    defaults  settings whose values are shown as the defaults
    width     columns of the terminal
    """
    fields = dataclasses.fields(defaults)
    types = typing.get_type_hints(type(defaults), include_extras=True)
    places = [field.name for field in fields if is_positional(types[field.name])]
    shapes = {field.name: describe_value(types[field.name]) for field in fields}
    page = [" ".join(["usage:", program, "[OPTIONS]", *(f"[{shapes[name].strip('[]')}]" for name in places)])]
    page += ["", wrap(summary, width)]
    page += ["", "Examples:", *(f"  {line}" for line in examples)] if examples else []
    docs = docstrings_of(type(defaults))
    for title, names in group([field.name for field in fields], type(defaults), places):
        page += ["", title]
        for name in names:
            flag = shapes[name] if name in places else describe_flag(name, types[name], shapes[name])
            text = " ".join(docs.get(name, "").split())
            page.append(entry(flag, text + describe_default(getattr(defaults, name)), width))
    page += ["", entry("-h, --help", "show this page", width), entry("--version", "show the version", width)]
    return "\n".join(page)


def group(names: list[str], kind: type[Any], places: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the titles of the page and the settings below each."""
    flags = [name for name in names if name not in places]
    if places:
        yield "Arguments", places
    if not issubclass(kind, Settings):  # a tool
        yield "Options", flags
        return
    grouped = {name for members in GROUPS.values() for name in members}
    for title, members in GROUPS.items():
        below = [name for name in flags if (name in members or (title == OTHERS and name not in grouped))]
        if below:
            yield title, sorted(below, key=[*members, *flags].index)


def entry(flag: str, text: str, width: int) -> str:
    """Format a flag and its description, on a line below it when the flag is long."""
    begin = f"  {flag}"
    begin = begin.ljust(COLUMN) if len(begin) < COLUMN - 1 else begin + "\n" + " " * COLUMN
    return begin + wrap(text, width, COLUMN).replace(NO_BREAK, " ")


def describe_flag(name: str, kind: Any, shape: str) -> str:
    """Return the flag with its value: "--seed INT", "--double, --no-double"."""
    flag = format_flag(name)
    return f"{flag}, --no-{flag[2:]}" if kind is bool else f"{flag} {shape}"


def describe_value(kind: Any) -> str:
    """Return the word for a value of this type: INT, STR ..., {a,b}."""
    if typing.get_origin(kind) is typing.Annotated:
        inner, *marks = typing.get_args(kind)
        named = [mark.metavar for mark in marks if getattr(mark, "metavar", None)]
        return str(named[0]) if named else describe_value(inner)
    if kind is RunName:
        return "[RUN]"
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) is Literal:
        return "{" + ",".join(map(str, arguments)) + "}"
    if typing.get_origin(kind) is tuple:
        return f"{describe_value(arguments[0])} ..."
    return describe_value(arguments[0]) if arguments else str(kind.__name__).upper()


def describe_default(value: Any) -> str:
    """Return the default in brackets; nothing for an empty one."""
    words = [str(one) for one in value] if isinstance(value, tuple) else [str(value)]
    shown = "" if value is None else " ".join(words)
    return f" (default:{NO_BREAK}{shown})" if shown else ""


def flags_of(kind: type[Any]) -> list[str]:
    """Return the flags of a settings class."""
    types = typing.get_type_hints(kind, include_extras=True)
    return [
        format_flag(field.name) for field in dataclasses.fields(kind) if not is_positional(types[field.name])
    ]


def is_positional(kind: Any) -> bool:
    """Whether a setting of this type stands without its flag."""
    from tyro.conf import Positional  # takes 0.1 s; only the command line needs it

    mark = typing.get_args(Positional[str])[1]
    return mark in typing.get_args(kind)[1:] if typing.get_origin(kind) is typing.Annotated else False


def docstrings_of(kind: type[Any]) -> dict[str, str]:
    """Return the text below each setting, by its name; it is read from the source, so -OO keeps it."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        try:
            (tree,) = ast.parse(textwrap.dedent(inspect.getsource(one))).body
        except (OSError, TypeError):  # built in, or typed at a prompt
            continue
        for before, after in zip(tree.body, tree.body[1:]):  # type: ignore[attr-defined]
            if isinstance(before, ast.AnnAssign) and isinstance(after, ast.Expr):
                found[before.target.id] = ast.literal_eval(after.value)  # type: ignore[union-attr]
    return found
