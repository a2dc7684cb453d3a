"""Resumable runs of the simulators: the work is done in pieces, and a signal stops it between two pieces.

The state is one file in the run's folder. It is saved at the end, at a signal, and every SAVE_SECONDS, so a
killed run loses only seconds of work. The results do not depend on where the pieces end.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from nnlite.tensor_file import sweep
from nnlite.terminal import say
from rl.command.errors import UsageError
from rl.command.settings import Settings
from rl.runs import resume, run_folder
from rl.runs.lock import hold_lock
from rl.runs.signals import Interrupted, StopSignals
from rl.runs.state_file import load_state, save_state

STATE = "state.safetensors"
SAVE_SECONDS = 10.0  # between two saves


@contextlib.contextmanager
def open_folder(
    article: str, env_id: str, settings: Settings, resumed: str, may_change: set[str]
) -> Iterator[tuple[Path, dict[str, Any] | None]]:
    """Make the folder of a new run, or open that of a run to resume; hold its lock. Yields folder, state.

    The state is None in a new run, and in one that was killed before it saved any: it begins again.

    resumed     folder of the run to resume; empty for a new run
    may_change  settings that may differ from those of the resumed run

    Raises UsageError when the run cannot be resumed, or another process holds its lock.
    """
    if not resumed:
        folder = run_folder.create(settings.out, article, env_id, settings.seed, dataclasses.asdict(settings))
        with hold_lock(folder):
            yield folder, None
        return
    folder = Path(resumed)
    resume.check_settings(folder, settings, may_change)
    with hold_lock(folder):
        if not (folder / STATE).exists() and not (folder / run_folder.RESULT).exists():
            print(run_folder.BEGINS_AGAIN, flush=True)
            yield folder, None
            return
        try:
            state = load_state(folder / STATE)
        except (ValueError, OSError) as problem:
            remedy = "choose another run, or start a new one without --resume"
            raise UsageError(str(problem), remedy) from None
        sweep(folder)
        yield folder, state


def run_pieces(
    article: str,
    folder: Path,
    pieces: Iterable[object],
    get_state: Callable[[], dict[str, Any]],
    done: Callable[[], str],
) -> None:
    """Do all pieces, or those before a signal, and save the state.

    pieces     each `next` does one piece
    get_state  returns the state between two pieces
    done       returns the progress in words: "1,000 episodes"

    Raises Interrupted when a signal stopped it; its message is the command that resumes the run.
    """
    saved = time.monotonic()
    with StopSignals() as stop:
        for _ in pieces:
            if stop.received is not None or time.monotonic() - saved > SAVE_SECONDS:
                _save(folder, get_state())
                saved = time.monotonic()
            if stop.received is not None:
                raise Interrupted(stop.received, resume.describe_stop(article, done(), folder))
        _save(folder, get_state())


def _save(folder: Path, state: dict[str, Any]) -> None:
    """Write the state; if that fails, print why and keep the last one."""
    try:
        save_state(folder / STATE, state)
    except OSError as problem:
        say(f"the state could not be written: {problem}; the last one before it is kept")
