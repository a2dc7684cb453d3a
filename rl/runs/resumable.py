"""Runs that are done piece by piece and can be stopped between two of them: what the simulators' commands
share.

The state lies in the run's folder as one file. It is written when the work is done or a signal stops it, and
now and then in between, so that a killed run loses seconds. What follows from the state does not depend on
where the pieces ended.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from nnlite.tensor_file import sweep
from rl.command.errors import UsageError
from rl.command.settings import Settings
from rl.runs import resume, run_folder
from rl.runs.lock import hold_lock
from rl.runs.signals import Interrupted, StopSignals
from rl.runs.state_file import load_state, save_state

STATE = "state.safetensors"
SAVE_SECONDS = 10.0


@contextlib.contextmanager
def open_folder(
    article: str, env_id: str, settings: Settings, resumed: str, may_change: set[str]
) -> Iterator[tuple[Path, dict[str, Any] | None]]:
    """The folder of a new run and None; or, with `resumed`, a run's folder and the state that it was saved
    with.

    may_change  settings that may differ from those of the resumed run

    Raises UsageError when that run cannot be gone on with. No other process has the run while it is open.
    """
    if not resumed:
        folder = run_folder.create(settings.out, article, env_id, settings.seed, dataclasses.asdict(settings))
        with hold_lock(folder):
            yield folder, None
        return
    folder = Path(resumed)
    resume.check_settings(folder, settings, may_change)
    with hold_lock(folder):
        try:
            state = load_state(folder / STATE)
        except (ValueError, OSError) as problem:
            raise UsageError(
                str(problem), "choose another run, or start a new one without --resume"
            ) from None
        sweep(folder)
        yield folder, state


def run_pieces(
    article: str,
    folder: Path,
    pieces: Iterable[object],
    get_state: Callable[[], dict[str, Any]],
    done: Callable[[], str],
) -> None:
    """Do all the pieces, or as many as come before a signal, and keep the state.

    pieces     each `next` does one
    get_state  the state between two pieces
    done       how far the run has come, in words

    Raises Interrupted, which tells how to go on, when a signal stopped it.
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
    try:
        save_state(folder / STATE, state)
    except OSError as problem:
        print(f"the state could not be written: {problem}; the last one before it is kept", flush=True)
