"""The folder of a run: make it, find it, write its config.json.

Its name is {article}__{env}__{seed}__{date-time}, inside the folder `out`.
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

BEST, LAST = "best.safetensors", "last.safetensors"  # models: of the best evaluation, of the last step
RESULT = "result.json"  # a run that has one is finished
BEGINS_AGAIN = "the run was stopped before its first checkpoint: it begins again, with its settings"
PACKAGES = ("nnlite-rl", "numpy", "numba", "gymnasium", "safetensors")


def create(out: str, article: str, env_id: str, seed: int, settings: dict[str, Any]) -> Path:
    """Make the folder and its config.json, and write its name into {out}/latest.

    Raises UsageError when `out` cannot be written.
    """
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    name = f"{article}__{make_safe(env_id)}__{seed}__{stamp}"
    root = Path(out)
    try:
        root.mkdir(parents=True, exist_ok=True)
        folder = _make_new(root, name)
        write_json(folder / config.NAME, make_config(article, settings))
        (root / "latest").write_text(folder.name + "\n", encoding="utf-8")
    except OSError as problem:
        what = f"cannot write into {out}: {problem.strerror or problem}"
        raise UsageError(what, "choose another folder with --out") from None
    return folder


def make_config(article: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the content of config.json."""
    here = {"machine": describe_machine(), "versions": list_versions()}
    return {"article": article, "settings": settings, **here}


def find(
    article: str,
    out: str,
    wanted: str,
    holding: str,
    env_id: str | None = None,
    unfinished: bool = False,
    begun: bool = False,
) -> Path:
    """Find the run that --play or --resume means.

    wanted      a path, a name inside `out`, or "newest": the run whose file `holding` was written last
    holding     file that the run must have
    env_id      with "newest": only runs on this environment
    unfinished  with "newest": only runs without a result
    begun       runs too that have no file `holding` yet, and no result

    Raises UsageError when there is no such run.
    """
    if wanted != NEWEST:
        for folder in (Path(wanted), Path(out) / wanted):
            if _file_of(folder, holding, begun) is not None:
                return folder
        raise UsageError(f"no {holding} in {wanted}", f"train one: {program_of(article)}")
    kind = f"{article}__*" if env_id is None else f"{article}__{make_safe(env_id)}__*"
    found = {folder: _file_of(folder, holding, begun) for folder in Path(out).glob(kind)}
    files = {folder: file for folder, file in found.items() if file is not None}
    if unfinished:
        files = {folder: file for folder, file in files.items() if not (folder / RESULT).exists()}
    if not files:
        remedy = "train one" if holding == BEST else "name a folder, or start one"
        what = "trained model" if holding == BEST else "unfinished run" if unfinished else "run"
        raise UsageError(f"no {what} of {module_of(article)} in {out}/", f"{remedy}: {program_of(article)}")
    return max(files, key=lambda folder: files[folder].stat().st_mtime)


def _file_of(folder: Path, holding: str, begun: bool) -> Path | None:
    """Return the file that makes a folder a run of this kind; of one that has only begun, its config.json."""
    if (folder / holding).is_file():
        return folder / holding
    only_begun = begun and (folder / config.NAME).is_file() and not (folder / RESULT).exists()
    return folder / config.NAME if only_begun else None


def write_json(path: Path, data: Any) -> None:
    """Write readable JSON; replace the file atomically."""
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    atomic_write(path, text.encode("utf-8", "backslashreplace"))  # \udcff: a byte of a name that is no text


def describe_machine() -> dict[str, Any]:
    """Return facts about the machine that determine the speed and the exact numbers of a run."""
    from nnlite_ext import _threads

    return {
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "kernels": _threads.target(),
        "threads": _threads.get_num_threads(),
    }


def list_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a result depends on."""
    from importlib import metadata

    found = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def make_safe(env_id: str) -> str:
    """Replace characters that a file system may refuse: rl/Catcher-v0 -> rl-Catcher-v0."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", env_id)


def _make_new(root: Path, name: str) -> Path:
    """Make a new folder; runs that start in the same second get a number behind the name."""
    for number in range(1000):
        folder = root / (name if number == 0 else f"{name}-{number}")
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            continue
    raise FileExistsError(f"{root / name} and a thousand more exist")
