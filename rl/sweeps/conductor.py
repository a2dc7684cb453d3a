"""Do the missing jobs of a sweep until all have ended, even if workers die on the way.

A job has ended when its record exists in the folder; nothing else counts. If the pool breaks, because a
worker was killed or a machine is gone, the interrupted runs continue from their checkpoints in the next
round. A run that another sweep is doing in the same folder is waited for, and taken over if that sweep dies.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rl.runs.signals import StopSignals
from rl.sweeps import record, table
from rl.sweeps.backends import Map
from rl.sweeps.child import TAKEN
from rl.sweeps.claim import claim
from rl.sweeps.display import Display
from rl.sweeps.plan import Job, Plan
from rl.sweeps.record import FAILED, Record
from rl.sweeps.worker import DIED

DEATHS = 3  # times that the process of a run may die before the run counts as failed
BREAKS = 20  # times that the pool may break in succession without an ended job
READ_SECONDS = 0.2  # between two readings of the records; longer for very many jobs
TABLE_SECONDS = 5.0  # between two writings of the table


class Conductor:
    """One sweep in one folder.

    records  of the ended jobs, by job key
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self.plan = folder, plan
        self.records: dict[str, Record] = {}
        self.deaths: dict[str, int] = {}
        self.stop_file = (
            folder / f"stop-{secrets.token_hex(4)}"
        )  # unlike that of another sweep in this folder
        self._reading = threading.Lock()
        self.read_records()

    @property
    def planned(self) -> int:
        """Runs of the whole sweep."""
        return sum(len(job.seeds) for job in self.plan.jobs)

    @property
    def done(self) -> int:
        """Runs that have a result."""
        return sum(len(ended.rows) for ended in self.records.values())

    @property
    def missing(self) -> list[Job]:
        """Jobs that have not ended, in the order of the plan."""
        return [job for job in self.plan.jobs if job.key not in self.records]

    def forget_failures(self) -> None:
        """Delete the records of failed jobs, so that they count as missing."""
        for key in [key for key, ended in self.records.items() if ended.state == FAILED]:
            (self.folder / key / record.NAME).unlink(missing_ok=True)
            del self.records[key]

    def run(self, perform_all: Map, display: Display, stop: StopSignals) -> None:
        """Do the missing jobs.

        Returns when all have ended, or after a signal, when the running ones have written their checkpoints.
        Raises RuntimeError when the workers keep dying without an ended job, BrokenPipeError when the reader
        of the output has left: then the running ones stop too.
        """
        breaks = 0
        with watch(self, display, stop):
            while (jobs := self.missing) and stop.received is None and not self.stop_file.exists():
                before = len(self.records)
                try:
                    outcomes = perform_all([self._order(job) for job in jobs])
                except Exception as problem:  # every backend raises another type for a dead worker
                    outcomes = []
                    display.note(
                        f"a worker is gone ({type(problem).__name__}); the runs that it cost are done again"
                    )
                for outcome in outcomes:
                    if outcome["state"] == DIED and stop.received is None:
                        self._count_death(outcome, display)
                self.read_records(display)
                if outcomes and all(outcome["state"] == TAKEN for outcome in outcomes):
                    time.sleep(1)
                breaks = 0 if outcomes or len(self.records) > before else breaks + 1
                if breaks == BREAKS:
                    raise RuntimeError(
                        f"the workers died {BREAKS} times with no run done\n"
                        f"  see the output of the runs in {self.folder}"
                    )

    def _order(self, job: Job) -> dict[str, Any]:
        return {
            "folder": str((self.folder / job.key).resolve()),
            "article": self.plan.article,
            "key": job.key,
            "settings": job.settings,
            "seeds": job.seeds,
            "cwd": os.getcwd(),
            "stop": str(self.stop_file.resolve()),
        }

    def _count_death(self, outcome: dict[str, Any], display: Display) -> None:
        key = outcome["key"]
        self.deaths[key] = self.deaths.get(key, 0) + 1
        how = f"signal {-outcome['code']}" if outcome["code"] < 0 else f"exit code {outcome['code']}"
        if self.deaths[key] < DEATHS:
            display.note(f"the process of {key} was killed ({how}); it is done again")
            return
        with claim(self.folder / key) as mine:
            if mine and record.read(self.folder / key) is None:
                Record(FAILED, (), 0.0, f"its process was killed {DEATHS} times ({how})").write(
                    self.folder / key
                )

    def read_records(self, display: Display | None = None) -> bool:
        """Read and show the new records; False if there are none."""
        with self._reading:
            before = len(self.records)
            for job in self.missing:
                ended = record.read(self.folder / job.key)
                if ended is not None:
                    self.records[job.key] = ended
                    if display is not None:
                        display.show(job, ended)
            return len(self.records) > before

    def write_table(self) -> list[Path]:
        """Write the table of the jobs so far; returns its files."""
        return table.write(self.folder, table.rows_of(self.plan, self.records))


@contextlib.contextmanager
def watch(conductor: Conductor, display: Display, stop: StopSignals) -> Iterator[None]:
    """Watch the folder in a thread during the block.

    Each ended job is shown, the table is written now and then, and a signal makes the runs stop.
    """
    over = threading.Event()
    broken: list[BrokenPipeError] = []

    def watch_output() -> None:
        try:
            read_and_write()
        except BrokenPipeError as problem:
            broken.append(problem)
            conductor.stop_file.touch()

    def read_and_write() -> None:
        written = 0.0
        pause = max(READ_SECONDS, len(conductor.plan.jobs) / 1000)
        while not over.wait(pause):
            if stop.received is not None and not conductor.stop_file.exists():
                conductor.stop_file.touch()
                display.note(
                    "stopping: the runs that are under way write their checkpoints (once more: at once)"
                )
            if conductor.read_records(display) and time.monotonic() - written > TABLE_SECONDS:
                conductor.write_table()
                written = time.monotonic()

    thread = threading.Thread(target=watch_output, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        conductor.stop_file.unlink(missing_ok=True)
    if broken:
        raise broken[0]
