"""config.json: the settings of a run, its article, its machine, and the versions of its packages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rl.command.errors import UsageError
from rl.command.settings import check_values

NAME = "config.json"
NOT_SETTINGS = ("config", "play", "resume")  # flags of a single command, which a resumed run does not inherit


def read_config(path: str | Path) -> dict[str, Any]:
    """Read a config.json, or the one in this folder. The file may hold settings only.

    Returns {"settings": {...}, ...}. Raises UsageError when the file is missing or damaged.
    """
    file = Path(path) / NAME if Path(path).is_dir() else Path(path)
    remedy = "give the path of a run, or of its config.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8-sig"))
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
    """Read the settings in a config.json, by name.

    Raises UsageError when the file is missing or damaged, or belongs to another article.
    """
    values = {name: v for name, v in read_config(path)["settings"].items() if name not in NOT_SETTINGS}
    return check_values(settings_class, values, f"{path}: ")
