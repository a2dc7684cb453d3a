"""Templates: text files beside the modules of a package (HTML, CSS, JavaScript) with fields to fill."""

from __future__ import annotations

import re
from importlib import resources


def read(package: str, name: str) -> str:
    """Read the file `name` that is installed with the modules of a package."""
    return (resources.files(package) / name).read_text(encoding="utf-8")


def fill(package: str, name: str, fields: dict[str, str]) -> str:
    """Read the template `name` and replace every __FIELD__ in it by fields["FIELD"], unescaped.

    Inserted text is not searched again, so it may contain __FIELD__. Raises KeyError for a missing field.
    """
    return re.sub(r"__([A-Z]+)__", lambda found: fields[found[1]], read(package, name))
