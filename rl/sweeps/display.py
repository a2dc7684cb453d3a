"""Show the progress of a sweep: a line for each ended job, and the time left."""

from __future__ import annotations

import sys
import time

from tqdm import tqdm

from nnlite.terminal import is_terminal, say
from rl.command.text import format_duration
from rl.pages.groups import plain_value
from rl.sweeps.plan import Job, Plan
from rl.sweeps.record import FAILED, Record


class Display:
    """The progress on standard output: on a terminal a bar below a growing table, elsewhere plain lines.

    done  jobs that ended in an earlier sweep
    """

    def __init__(self, plan: Plan, done: int) -> None:
        self.plan, self.before, self.done = plan, done, done
        self.begin = time.perf_counter()
        self.bar = None
        if is_terminal():
            ascii_only = "utf" not in (sys.stdout.encoding or "").lower()
            options = {
                "ascii": ascii_only,
                "dynamic_ncols": True,
                "smoothing": 0,
                "unit": "job" if self._many() else "run",
            }
            self.bar = tqdm(total=len(plan.jobs), initial=done, file=sys.stdout, **options)
        self._say(self._head())

    def show(self, job: Job, record: Record) -> None:
        """Print the line of a job that has ended."""
        self.done += 1
        left = len(self.plan.jobs) - self.done
        seconds = (time.perf_counter() - self.begin) / (self.done - self.before) * left
        if self.bar is not None:
            self.bar.update()
        rest = "" if self.bar is not None or not left else f"   about {format_duration(seconds)} left"
        self._say(self._line(job, record) + rest + (f"   {record.error}" if record.error else ""))

    def note(self, text: str) -> None:
        """Print a line."""
        self._say(text)

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self.bar is not None:
            self.bar.close()

    def _many(self) -> bool:
        return any(len(job.seeds) > 1 for job in self.plan.jobs)

    def _head(self) -> str:
        return self._cells(
            [name.replace("_", "-") for name in self.plan.varied], "seed", "score", "solved after", "time"
        )

    def _line(self, job: Job, record: Record) -> str:
        settings = [str(plain_value(job.settings[name])) for name in self.plan.varied]
        seed = str(job.seeds[0]) if len(job.seeds) == 1 else f"{len(job.seeds)} seeds"
        if record.state == FAILED:
            return self._cells(settings, seed, "FAILED", "", f"{record.seconds:.1f} s")
        scores = [row["score"] for row in record.rows if row["score"] is not None]
        score = "-" if not scores else f"{sum(scores) / len(scores):.5g}"
        solved = [row["solved_at"] for row in record.rows if row["solved_at"] is not None]
        after = "-" if not solved else f"{sorted(solved)[len(solved) // 2]:,}"
        return self._cells(settings, seed, score, after, f"{record.seconds:.1f} s")

    def _cells(self, settings: list[str], seed: str, score: str, solved: str, seconds: str) -> str:
        widths = [
            max(len(name), *(len(str(plain_value(job.settings[name]))) for job in self.plan.jobs))
            for name in self.plan.varied
        ]
        words = [word.rjust(width) for word, width in zip(settings, widths)]
        number = f"[{self.done:{len(str(len(self.plan.jobs)))}}/{len(self.plan.jobs)}]"
        return "  ".join([number, *words, seed.rjust(6), score.rjust(9), solved.rjust(12), seconds.rjust(8)])

    def _say(self, line: str) -> None:
        if self.bar is not None:
            self.bar.write(line, file=sys.stdout)
        else:
            say(line)
