"""A run's own folder: runs/{article}__{env}__{seed}__{date-time}/ and what is written when it is made."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from nnlite.saving import atomic_write
from rl.command.cli import NEWEST
from rl.command.errors import UsageError

PACKAGES = ("nnlite-rl", "numpy", "numba", "gymnasium", "safetensors")


def create(out: str, article: str, env_id: str, seed: int, settings: dict[str, Any]) -> Path:
    """Make the folder, write config.json into it and its name into {out}/latest."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    name = f"{article}__{safe(env_id)}__{seed}__{stamp}"
    root = Path(out)
    try:
        root.mkdir(parents=True, exist_ok=True)
        folder = _fresh(root, name)
        write_json(folder / "config.json", config_of(article, settings))
        (root / "latest").write_text(folder.name + "\n", encoding="utf-8")
    except OSError as problem:
        raise UsageError(f"cannot write into {out}: {problem.strerror or problem}", "choose another folder with --out") from None
    return folder


def config_of(article: str, settings: dict[str, Any]) -> dict[str, Any]:
    """What config.json says."""
    return {"article": article, "settings": settings, "machine": machine(), "versions": versions()}


def remake(folder: Path, article: str, settings: dict[str, Any]) -> None:
    """Make a folder again that was removed while its run goes on."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", config_of(article, settings))


def find(out: str, article: str, wanted: str, env_id: str | None = None, holding: str = "best.safetensors") -> Path:
    """The folder that --play or --resume means.

    wanted   a folder's path, its name inside `out`, or "newest"
    env_id   with "newest": only runs of this environment
    holding  the file that makes a folder count

    Raises UsageError when there is none.
    """
    if wanted != NEWEST:
        for folder in (Path(wanted), Path(out) / wanted):
            if (folder / holding).is_file():
                return folder
        raise UsageError(f"no {holding} in {wanted}", f"train one: python -m rl.{article}")
    kind = f"{article}__*" if env_id is None else f"{article}__{safe(env_id)}__*"
    runs = [folder for folder in Path(out).glob(kind) if (folder / holding).is_file()]
    if not runs:
        raise UsageError(f"no trained model of rl.{article} in {out}/", f"train one: python -m rl.{article}")
    return max(runs, key=lambda folder: (folder / "config.json").stat().st_mtime if (folder / "config.json").exists() else 0)


def read_config(folder: Path) -> dict[str, Any]:
    """config.json of a run; raises UsageError when it is missing or damaged."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if isinstance(config["settings"], dict):
            return config
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise UsageError(f"{folder} has no readable config.json", "choose the folder of a run")


def write_json(path: Path, data: Any) -> None:
    """Readable JSON, replaced atomically."""
    atomic_write(path, (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode("utf-8"))


def machine() -> dict[str, Any]:
    """What the figures of a run depend on."""
    from nnlite_ext import _threads

    return {
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "kernels": _threads.target(),
        "threads": _threads.get_num_threads(),
    }


def versions() -> dict[str, str]:
    """Python's version and those of the packages that a result depends on."""
    from importlib import metadata

    found = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def safe(env_id: str) -> str:
    """rl/Catcher-v0 -> rl-Catcher-v0: no character that a file system refuses."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", env_id)


def _fresh(root: Path, name: str) -> Path:
    """A folder that was not there before: two runs of the same second get different ones."""
    for number in range(1000):
        folder = root / (name if number == 0 else f"{name}-{number}")
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            continue
    raise FileExistsError(f"{root / name} and a thousand more exist")
