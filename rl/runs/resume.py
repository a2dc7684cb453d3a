"""`--resume`: find the run, read its settings, and check those that changed.

A resumed run reads its settings from its own config.json. Settings in MAY_CHANGE may be given again. The
others must not change, because the saved state depends on them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from nnlite.tensor_file import sweep
from rl.articles import program_of
from rl.command import cli, config
from rl.command.errors import UsageError
from rl.command.settings import AgentSettings, RunName, Settings, format_flag
from rl.runs import checkpoint
from rl.runs.logger import EVENTS
from rl.runs.run_folder import RESULT, find, write_json

S = TypeVar("S", bound=Settings)
MAY_CHANGE = frozenset(
    "total_timesteps eval_freq eval_episodes save_freq keep_going out num_threads config resume play test "
    "ray_address".split()
)


def parse(
    article: str,
    settings_class: type[S],
    summary: str,
    examples: tuple[str, ...] = (),
    presets: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    argv: list[str] | None = None,
    defaults: S | None = None,
    holding: str = checkpoint.NAME,
    unfinished: bool = True,
) -> S:
    """Parse the arguments of an article whose runs can be resumed; one that was killed early begins again.

    With --resume the settings of that run are the defaults, and `resume` names its folder.

    presets              {"test": {...}}: defaults that the flag --test sets
    defaults             values of flags that are not given; None for the class's own
    holding, unfinished  the runs that can be resumed; see `find`

    Raises UsageError for wrong flags and values, and when there is no such run.
    """
    program = program_of(article)
    read = functools.partial(cli.parse, settings_class, program, summary, examples, argv=argv)
    settings: Any = read(presets=presets, defaults=defaults)
    if settings.resume:
        named = named_env_id(functools.partial(read, presets=presets), settings_class)
        folder = find(article, settings.out, settings.resume, holding, named, unfinished, begun=True)
        stored = settings_class(**config.read_settings(folder, settings_class))
        settings = read(defaults=stored)
        settings = replace(settings, resume=RunName(folder))
    return settings


def named_env_id(read: Callable[..., Any], settings_class: type[Any]) -> str | None:
    """Return the environment that the flags name, be it the article's own; None if they name none.

    read  parses the flags, with `defaults`
    """
    if not hasattr(settings_class, "env_id"):
        return None
    return read(defaults=settings_class(env_id="")).env_id or None


def check_settings(folder: Path, settings: Settings, may_change: Collection[str] = MAY_CHANGE) -> None:
    """Raise UsageError, with the difference, when a setting changed that must not change."""
    stored = config.read_settings(folder, type(settings))
    changed = [
        f"{format_flag(name)} {stored[name]} -> {value}"
        for name, value in asdict(settings).items()
        if name not in may_change and name in stored and stored[name] != value
    ]
    if changed:
        what = f"the run was started with other settings: {', '.join(changed)}"
        raise UsageError(what, "leave them away, or start a new run without --resume")


def load(folder: Path, settings: AgentSettings) -> tuple[checkpoint.Checkpoints, dict[str, Any] | None]:
    """Load the checkpoints of a run and its last state, and write the new settings into config.json.

    The state is None for a run that was killed before its first checkpoint: it begins again.

    Raises UsageError when the run is finished, its checkpoint is damaged, or a setting must not change.
    """
    check_settings(folder, settings)
    if not (folder / checkpoint.NAME).exists() and not (folder / RESULT).exists():
        sweep(folder)
        for events in folder.glob(EVENTS):  # TensorBoard would show both beginnings
            events.unlink()
        keep_settings(folder, settings)
        return checkpoint.Checkpoints(folder), None
    checkpoints = checkpoint.Checkpoints(folder)
    try:
        state = checkpoints.load()
    except (ValueError, OSError) as problem:
        raise UsageError(str(problem), "choose another run, or start a new one without --resume") from None
    steps, solved_at = state["agent"]["steps"], state["solved_at"]
    if (folder / RESULT).exists():
        if steps >= settings.total_timesteps:
            what = f"the run in {folder} is finished: {steps:,} steps"
            raise UsageError(what, "give a larger --total-timesteps to go on")
        if solved_at is not None and not settings.keep_going:
            what = f"the run in {folder} is finished: solved after {solved_at:,} steps"
            raise UsageError(what, "give --keep-going to go on")
    (folder / RESULT).unlink(missing_ok=True)
    keep_settings(folder, settings)
    return checkpoints, state


def keep_settings(folder: Path, settings: Settings) -> None:
    """Write the settings of a resumed run into its config.json, except flags of a single command."""
    stored = config.read_config(folder)
    before = stored["settings"]
    now = {name: value for name, value in asdict(settings).items() if name in before}
    now |= {name: before[name] for name in ("config", "out", "play", "resume") if name in now}
    if before != json.loads(json.dumps(now)):
        write_json(folder / config.NAME, {**stored, "settings": now})


def describe_stop(article: str, done: str, folder: Path) -> str:
    """Return the line printed after a signal: the progress, and the command that resumes the run."""
    return f"stopped after {done}; go on:  {program_of(article)} --resume {folder}"
