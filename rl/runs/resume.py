"""`--resume`: which run is meant, what it was started with, and what may be different when it goes on.

A resumed run takes its settings from its own config.json, so that `--resume` alone is enough. A setting that
the state depends on must stay what it was; those in MAY_CHANGE need not.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rl.runs import checkpoint, run_folder
from rl.command import cli
from rl.command.errors import UsageError
from rl.command.settings import AgentSettings, Settings, flag

MAY_CHANGE = {
    "total_timesteps", "eval_freq", "eval_episodes", "save_freq", "keep_going", "out", "num_threads", "config", "resume", "play", "test",
    "ray_address",
}
RESULT = "result.json"  # a run that has it is finished


def with_its_settings(
    article: str, argv: list[str], out: str, env_id: str | None = None, *, holding: str = checkpoint.NAME, finished: bool = False
) -> list[str]:
    """The arguments with --resume naming a folder, preceded by the --config of that run; unchanged without
    --resume.

    out, env_id  where runs are looked for and of which environment (None: any), unless the arguments say so
                 themselves
    holding      the file that makes a folder count
    finished     runs that are finished count too

    Raises UsageError when there is no such run.
    """
    argv = cli.with_folders(argv)
    wanted = cli.value_of("--resume", argv)
    if not wanted:
        return argv
    out, env_id = cli.value_of("--out", argv) or out, cli.value_of("--env-id", argv) or env_id
    folder = find(article, out, wanted, env_id, holding, finished)
    rest: list[str] = []
    skip = False
    for word in argv:
        if skip or word == "--resume" or word.startswith("--resume="):
            skip = not skip and word == "--resume"
            continue
        rest.append(word)
    return ["--config", str(folder / "config.json"), "--resume", str(folder), *rest]


def find(article: str, out: str, wanted: str, env_id: str | None, holding: str = checkpoint.NAME, finished: bool = False) -> Path:
    """The folder of the run: the newest unfinished one, of this environment if one is given, or the one that
    is named.
    """
    if wanted != cli.NEWEST:
        return run_folder.find(out, article, wanted, holding=holding)
    kind = f"{article}__*" if env_id is None else f"{article}__{run_folder.safe(env_id)}__*"
    runs = [path.parent for path in Path(out).glob(f"{kind}/{holding}") if finished or not (path.parent / RESULT).exists()]
    if not runs:
        what = "run" if finished else "unfinished run"
        raise UsageError(f"no {what} of rl.{article} in {out}/", f"name a folder, or start one: python -m rl.{article}")
    return max(runs, key=lambda folder: (folder / holding).stat().st_mtime)


def check_settings(folder: Path, settings: Settings, may_change: set[str] = MAY_CHANGE) -> None:
    """Raise UsageError, showing the difference, when a setting that must stay is another one than the
    run's.
    """
    stored = cli.read_config(str(folder / "config.json"), type(settings))
    changed = [(name, stored[name], value) for name, value in asdict(settings).items()
               if name not in may_change and name in stored and _plain(stored[name]) != _plain(value)]
    if changed:
        told = ", ".join(f"{flag(name)} {before} -> {now}" for name, before, now in changed)
        raise UsageError(f"the run was started with other settings: {told}", "leave them away, or start a new run without --resume")


def load(folder: Path, settings: AgentSettings) -> tuple[checkpoint.Checkpoints, dict[str, Any]]:
    """The checkpoints of the run and the state of the last one; config.json then holds the new settings.

    Raises UsageError when the run is finished, its checkpoint damaged, or a setting differs that must not.
    """
    check_settings(folder, settings)
    checkpoints = checkpoint.Checkpoints(folder)
    try:
        state = checkpoints.load()
    except (ValueError, OSError) as problem:
        raise UsageError(str(problem), "choose another run, or start a new one without --resume") from None
    steps = state["agent"]["steps"]
    if steps >= settings.total_timesteps and (folder / RESULT).exists():
        raise UsageError(f"the run in {folder} is finished: {steps:,} steps", "give a larger --total-timesteps to go on")
    if state["solved_at"] is not None and not settings.keep_going and (folder / RESULT).exists():
        raise UsageError(f"the run in {folder} is finished: solved after {state['solved_at']:,} steps", "give --keep-going to go on")
    (folder / RESULT).unlink(missing_ok=True)
    keep_settings(folder, settings)
    return checkpoints, state


def keep_settings(folder: Path, settings: Settings) -> None:
    """Have config.json hold the settings with which a run goes on; where it was told to write stays."""
    config = run_folder.read_config(folder)
    now = {name: value for name, value in asdict(settings).items() if name in config["settings"]}
    now |= {name: config["settings"][name] for name in ("config", "out", "play", "resume") if name in now}
    if config["settings"] != _plain(now):
        run_folder.write_json(folder / "config.json", {**config, "settings": now})


def stopped(article: str, done: str, folder: Path) -> str:
    """What is said when a signal stopped a run: how far it came and how it goes on."""
    return f"stopped after {done}; go on:  {Path(sys.executable).name} -m rl.{article} --resume {folder}"


def _plain(value: Any) -> Any:
    """As JSON would give it back."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value
