"""Does what is missing of a sweep until nothing is missing, whatever breaks on the way.

The folder is the only truth: a job has ended when its record is there. A pool that breaks because a worker
was killed, or a machine is gone, costs the runs that were under way; those go on from their checkpoints in
the next round. A run that another sweep is doing in the same folder is waited for, and taken over if that
sweep dies.
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
from rl.sweeps.claim import claimed
from rl.sweeps.display import Display
from rl.sweeps.plan import Job, Plan
from rl.sweeps.record import FAILED, Record
from rl.sweeps.worker import DIED

DEATHS = 3  # times that a run may kill its process before it counts as failed
BREAKS = 20  # times that the pool may break with nothing done in between
LOOK_SECONDS = 0.2  # between two looks for ended runs; longer for very many
TABLE_SECONDS = 5.0  # between two writings of the table


class Conductor:
    """One sweep in one folder. `records` holds what has ended, by job key."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self.plan = folder, plan
        self.records: dict[str, Record] = {}
        self.deaths: dict[str, int] = {}
        self.stop_file = folder / f"stop-{secrets.token_hex(4)}"  # not that of another sweep in this folder
        self._looking = threading.Lock()
        self.look()

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
        """Failed runs count as missing again."""
        for key in [key for key, ended in self.records.items() if ended.state == FAILED]:
            (self.folder / key / record.NAME).unlink(missing_ok=True)
            del self.records[key]

    def run(self, perform_all: Map, display: Display, stop: StopSignals) -> None:
        """Return when every job has ended, or after a signal, when those under way have written their
        checkpoints.

        Raises RuntimeError when the workers keep dying with nothing done.
        """
        breaks = 0
        with watched(self, display, stop):
            while (jobs := self.missing) and stop.received is None:
                before = len(self.records)
                try:
                    outcomes = perform_all([self._order(job) for job in jobs])
                except Exception as problem:  # each library has its own for a worker that is gone
                    outcomes = []
                    display.note(
                        f"a worker is gone ({type(problem).__name__}); the runs that it cost are done again"
                    )
                for outcome in outcomes:
                    if outcome["state"] == DIED and stop.received is None:
                        self._count_death(outcome, display)
                self.look(display)
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
        with claimed(self.folder / key) as mine:
            if mine and record.read(self.folder / key) is None:
                Record(FAILED, (), 0.0, f"its process was killed {DEATHS} times ({how})").write(
                    self.folder / key
                )

    def look(self, display: Display | None = None) -> bool:
        """Read and show the records that are new; whether there were any."""
        with self._looking:
            before = len(self.records)
            for job in self.missing:
                ended = record.read(self.folder / job.key)
                if ended is not None:
                    self.records[job.key] = ended
                    if display is not None:
                        display.ended(job, ended)
            return len(self.records) > before

    def write_table(self) -> list[Path]:
        """The table of what has ended so far; its files."""
        return table.write(self.folder, table.rows_of(self.plan, self.records))


@contextlib.contextmanager
def watched(conductor: Conductor, display: Display, stop: StopSignals) -> Iterator[None]:
    """Meanwhile, show each job as it ends, write the table now and then, and tell the runs when a signal
    wants them to stop.
    """
    over = threading.Event()

    def watch() -> None:
        written = 0.0
        pause = max(LOOK_SECONDS, len(conductor.plan.jobs) / 1000)
        while not over.wait(pause):
            if stop.received is not None and not conductor.stop_file.exists():
                conductor.stop_file.touch()
                display.note(
                    "stopping: the runs that are under way write their checkpoints (once more: at once)"
                )
            if conductor.look(display) and time.monotonic() - written > TABLE_SECONDS:
                conductor.write_table()
                written = time.monotonic()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        conductor.stop_file.unlink(missing_ok=True)
