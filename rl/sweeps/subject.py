"""Subject: what a sweep runs, an article or an algorithm of one's own."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from rl.articles import ARTICLES, COMMANDS
from rl.command.errors import UsageError, require
from rl.training.algorithm import Algorithm


class Subject(NamedTuple):
    """An article, or module:Class of an Algorithm.

    test            settings of --test, if it has that flag
    measures_seeds  many seeds are one compiled call
    """

    article: str
    settings_class: type[Any]
    test: Mapping[str, Any] | None
    measures_seeds: bool


def find_subject(name: str) -> Subject:
    """Find an article by its name, or an algorithm as module:Class. Raises UsageError for anything else."""
    if ":" in name:
        return Subject(name, own_algorithm(name).settings_class, None, False)
    article, names = name.removeprefix("rl.").replace("-", "_"), [one.module for one in ARTICLES]
    choice = f"choose from {', '.join(names)}, or name an algorithm of your own: module:Class"
    require(article in names, f"there is no article {article!r}", choice)
    module = importlib.import_module(f"rl.{article}")
    command = importlib.import_module(COMMANDS[article])
    return Subject(article, module.Settings, getattr(module, "TEST", None), hasattr(command, "measure_seeds"))


def own_algorithm(name: str) -> type[Algorithm]:
    """Import the class module:Class, a subclass of Algorithm; the module may lie in the current folder."""
    place, _, kind = name.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found = getattr(importlib.import_module(place), kind)
    except (ImportError, AttributeError, ValueError) as problem:
        raise UsageError(f"{name} cannot be imported: {problem}", "name module:Class") from None
    fits = isinstance(found, type) and issubclass(found, Algorithm)
    require(fits, f"{name} is no algorithm", "give a subclass of rl.training.algorithm.Algorithm")
    return found
