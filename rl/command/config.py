"""config.json: the settings of a run, with the article, the machine and the versions that it ran on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rl.command.errors import UsageError
from rl.command.settings import check_values

NAME = "config.json"
NOT_SETTINGS = ("config", "play", "resume")  # flags of one command; another command does not take them over


def read_config(path: str | Path) -> dict[str, Any]:
    """Read a config.json, or the one in this folder; a file of settings only counts too.

    Returns {"settings": {...}, ...}. Raises UsageError when it is missing or damaged.
    """
    file = Path(path) / NAME if Path(path).is_dir() else Path(path)
    remedy = "give the path of a run, or of its config.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        config = found if "settings" in found else {"settings": found}
        if isinstance(config["settings"], dict):
            return config
        problem = "its settings are not a table"
    except FileNotFoundError:
        raise UsageError(f"there is no file {file}", remedy) from None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        problem = str(error)
    raise UsageError(f"{file} is not a readable config.json: {problem}", remedy)


def read_settings(path: str | Path, settings_class: type[Any]) -> dict[str, Any]:
    """The settings in a config.json, by name; raises UsageError when it is damaged or of another article."""
    values = {name: v for name, v in read_config(path)["settings"].items() if name not in NOT_SETTINGS}
    return check_values(settings_class, values, f"{path}: ")
