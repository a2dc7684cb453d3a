"""The folder of a run, runs/{article}__{env}__{seed}__{date-time}/: making it, finding it, its
config.json.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from nnlite.tensor_file import atomic_write
from rl.articles import module_of, program_of
from rl.command import config
from rl.command.errors import UsageError
from rl.command.settings import NEWEST

BEST, LAST, RESULT = "best.safetensors", "last.safetensors", "result.json"  # a run with a result is finished
PACKAGES = ("nnlite-rl", "numpy", "numba", "gymnasium", "safetensors")


def create(out: str, article: str, env_id: str, seed: int, settings: dict[str, Any]) -> Path:
    """Make the folder, write config.json into it and its name into {out}/latest."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    name = f"{article}__{make_safe(env_id)}__{seed}__{stamp}"
    root = Path(out)
    try:
        root.mkdir(parents=True, exist_ok=True)
        folder = _make_new(root, name)
        write_json(folder / config.NAME, make_config(article, settings))
        (root / "latest").write_text(folder.name + "\n", encoding="utf-8")
    except OSError as problem:
        raise UsageError(
            f"cannot write into {out}: {problem.strerror or problem}", "choose another folder with --out"
        ) from None
    return folder


def make_config(article: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The content of config.json."""
    return {"article": article, "settings": settings, "machine": describe_machine(), "versions": list_versions()}


def find(
    article: str, out: str, wanted: str, holding: str, env_id: str | None = None, unfinished: bool = False
) -> Path:
    """Find the run that --play or --resume means.

    wanted      a folder's path, its name inside `out`, or "newest": whose `holding` was written last
    holding     the file that makes a folder count
    env_id      with "newest": only runs on this environment
    unfinished  with "newest": only runs without a result

    Raises UsageError when there is none.
    """
    if wanted != NEWEST:
        for folder in (Path(wanted), Path(out) / wanted):
            if (folder / holding).is_file():
                return folder
        raise UsageError(f"no {holding} in {wanted}", f"train one: {program_of(article)}")
    kind = f"{article}__*" if env_id is None else f"{article}__{make_safe(env_id)}__*"
    files = [
        file
        for file in Path(out).glob(f"{kind}/{holding}")
        if not unfinished or not (file.parent / RESULT).exists()
    ]
    if not files:
        remedy = "train one" if holding == BEST else "name a folder, or start one"
        what = "trained model" if holding == BEST else "unfinished run" if unfinished else "run"
        raise UsageError(f"no {what} of {module_of(article)} in {out}/", f"{remedy}: {program_of(article)}")
    return max(files, key=lambda file: file.stat().st_mtime).parent


def write_json(path: Path, data: Any) -> None:
    """Readable JSON, replaced atomically."""
    atomic_write(path, (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode("utf-8"))


def describe_machine() -> dict[str, Any]:
    """The machine, on which the figures of a run depend."""
    from nnlite_ext import _threads

    return {
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "kernels": _threads.target(),
        "threads": _threads.get_num_threads(),
    }


def list_versions() -> dict[str, str]:
    """Python's version and those of the packages that a result depends on."""
    from importlib import metadata

    found = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def make_safe(env_id: str) -> str:
    """rl/Catcher-v0 -> rl-Catcher-v0: no character that a file system refuses."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", env_id)


def _make_new(root: Path, name: str) -> Path:
    """A folder that was not there before: two runs of the same second get different ones."""
    for number in range(1000):
        folder = root / (name if number == 0 else f"{name}-{number}")
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            continue
    raise FileExistsError(f"{root / name} and a thousand more exist")
