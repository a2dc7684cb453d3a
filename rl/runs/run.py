"""Run: everything that a training run stores on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rl.command import config
from rl.command.settings import AgentSettings
from rl.core.agent import Agent
from rl.runs import resume, run_folder
from rl.runs.checkpoint import Checkpoints
from rl.runs.lock import hold_lock
from rl.runs.logger import Logger
from rl.runs.run_folder import RESULT


class Run:
    """The folder of a run, with its settings, logs, models and checkpoints. `open_run` makes one.

    saved   the state to resume from; None in a new run
    logger  writes progress.csv, monitor.csv and TensorBoard's events
    say     prints a line for the user
    """

    def __init__(self, folder: Path, article: str, settings: AgentSettings, columns: tuple[str, ...]) -> None:
        self.folder, self.article, self.settings = folder, article, settings
        self.say: Callable[[str], object] = print
        self.saved: dict[str, Any] | None = None
        self.checkpoints = Checkpoints(folder)
        if settings.resume:
            self.checkpoints, self.saved = resume.load(folder, settings)
        self.logger = Logger(folder, settings.env_id, columns, self.saved["logger"] if self.saved else None)

    def save_model(self, agent: Agent, name: str) -> None:
        """Write the agent's network into the folder."""
        self._remake()
        agent.save(self.folder / name)

    def save_state(self, state: dict[str, Any]) -> None:
        """Wait for the last checkpoint, then begin one, which is written while training continues.

        Raises OSError, ValueError or MemoryError when the last one could not be written.
        """
        self._remake()
        self.checkpoints.save({**state, "logger": self.logger.get_state()}, self.logger.files)

    def save_result(self, result: dict[str, Any]) -> None:
        """Write result.json; the run is then finished."""
        run_folder.write_json(self.folder / RESULT, result)

    def _remake(self) -> None:
        """Make the folder again if it was deleted during the run."""
        if not self.folder.is_dir():
            self.say(f"{self.folder} is gone: it is made again, without the logs so far")
            self.folder.mkdir(parents=True)
            content = run_folder.make_config(self.article, asdict(self.settings))
            run_folder.write_json(self.folder / config.NAME, content)


@contextmanager
def open_run(article: str, settings: AgentSettings, columns: tuple[str, ...]) -> Iterator[Run]:
    """Make the folder of a new run, or open the one that `settings.resume` names; hold its lock.

    columns  of progress.csv

    Raises UsageError when the folder cannot be made, is in use, or cannot be resumed with these settings.
    """
    if settings.resume:
        folder = Path(settings.resume)
    else:
        folder = run_folder.create(settings.out, article, settings.env_id, settings.seed, asdict(settings))
    with hold_lock(folder):
        run = Run(folder, article, settings, columns)
        try:
            yield run
        finally:
            run.logger.close()
