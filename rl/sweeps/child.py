"""The process that does runs, one after the other: imports and compiled code are loaded once, a crash costs
one run.

    in   a line of JSON for each job: {"folder", "article", "key", "settings", "seeds", "cwd", "stop"}
    out  a line of JSON for each: {"state": "done" | "failed" | "taken"}

It ends when its input ends, because its worker is gone, or when the file that "stop" names appears: then the
run that is under way writes its checkpoint first, as after Ctrl-C.
"""

from __future__ import annotations

import _thread
import contextlib
import importlib
import json
import os
import queue
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from rl.command import threads
from rl.command.settings import check_values
from rl.runs import checkpoint
from rl.runs.run_folder import write_json
from rl.sweeps import record
from rl.sweeps.claim import claimed
from rl.sweeps.measures import MEASURES
from rl.sweeps.record import Record

TAKEN = "taken"
PATIENCE = 3.0  # seconds for a process that is just ending to let go of its claim
GRACE = 30.0  # seconds to write a checkpoint after an interruption
WATCH_SECONDS = 0.2  # between two looks whether to stop
OUTPUT, SETTINGS, RESULT = "output.txt", "settings.json", "result.json"


def main() -> int:
    """Do jobs until the input ends."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a worker may have left it ignored
    replies = os.fdopen(
        os.dup(1), "w", encoding="utf-8"
    )  # what the articles print goes to files of their own
    orders = Orders()
    try:
        while (job := orders.next()) is not None:
            state = do(job)
            orders.over()
            with contextlib.suppress(OSError):  # a worker that is gone needs no reply
                print(json.dumps({"state": state}), file=replies, flush=True)
    except KeyboardInterrupt:
        return 130
    return 0


class Orders:
    """The jobs that come in, and the interruption of the one that is under way."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._stop: Path | None = None  # of the job under way
        self._ended = False
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    def next(self) -> dict[str, Any] | None:
        """The next job; None when no more will come."""
        job = self._jobs.get()
        self._stop = None if job is None else Path(job["stop"])
        return job

    def over(self) -> None:
        """The job is not under way any more."""
        self._stop = None

    def _listen(self) -> None:
        for line in sys.stdin:
            self._jobs.put(json.loads(line))
        self._ended = True
        self._jobs.put(None)

    def _watch(self) -> None:
        """Interrupt what is under way, as Ctrl-C would; end the process if that does not."""
        while True:
            time.sleep(WATCH_SECONDS)
            stop = self._stop
            if stop is not None and (self._ended or stop.exists()):
                _thread.interrupt_main()
                time.sleep(GRACE)
                os._exit(130)


def do(job: dict[str, Any]) -> str:
    """Do one job in its folder, unless it has been done or another process is at it; its state."""
    folder = Path(job["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    with claimed(folder, PATIENCE) as mine:
        if not mine:
            return TAKEN
        ended = record.read(folder)
        if ended is None:
            ended = perform(folder, job)
            ended.write(folder)
        return ended.state


def perform(folder: Path, job: dict[str, Any]) -> Record:
    """Run it, and say how it ended; raises KeyboardInterrupt when it was interrupted."""
    begin = time.perf_counter()
    with printed_to(folder / OUTPUT):
        try:
            os.chdir(job["cwd"])
            rows = measured_at_once(job) if len(job["seeds"]) > 1 else [measured_run(folder, job)]
        except KeyboardInterrupt:
            raise
        except Exception:
            traceback.print_exc()
            rows = []
    seconds = time.perf_counter() - begin
    if rows and None not in rows:
        return Record(record.DONE, tuple(row for row in rows if row is not None), seconds)
    return Record(record.FAILED, (), seconds, last_words(folder / OUTPUT))


def measured_at_once(job: dict[str, Any]) -> list[dict[str, Any] | None]:
    """A row for each seed, from one call."""
    module = importlib.import_module(f"rl.{job['article']}")
    settings = module.Settings(**check_values(module.Settings, job["settings"]))
    threads.use_threads(settings.num_threads)
    figures = module.measure_seeds(settings, job["seeds"])
    return [row_of(job["article"], seed, found) for seed, found in zip(job["seeds"], figures)]


def measured_run(folder: Path, job: dict[str, Any]) -> dict[str, Any] | None:
    """The row of a run like `python -m rl.ARTICLE`; None when it failed."""
    (seed,) = job["seeds"]
    results = list(folder.glob(f"*/{RESULT}"))
    if not results:
        code = run_article(job["article"], arguments(folder, job, seed))
        if code in (130, 143):
            raise KeyboardInterrupt
        results = list(folder.glob(f"*/{RESULT}"))
        if code != 0 or not results:
            return None
    return row_of(job["article"], seed, json.loads(results[0].read_text(encoding="utf-8")))


def arguments(folder: Path, job: dict[str, Any], seed: int) -> list[str]:
    """The command line: go on from a checkpoint that is sound, else begin anew."""
    for path in folder.glob(f"*/{checkpoint.NAME}"):
        with contextlib.suppress(ValueError, OSError):
            checkpoint.Checkpoints(path.parent).load()
            return ["--resume", str(path.parent), "--num-threads", "1"]
    for begun in folder.iterdir():
        if begun.is_dir():
            shutil.rmtree(begun, ignore_errors=True)
    write_json(folder / SETTINGS, {"settings": job["settings"]})
    return [
        "--config",
        str(folder / SETTINGS),
        "--seed",
        str(seed),
        "--out",
        str(folder),
        "--num-threads",
        "1",
    ]


def run_article(article: str, words: list[str]) -> int:
    """Its exit code, as if it had been started by this command line."""
    sys.argv = [f"rl.{article}", *words]
    print(f"$ python -m rl.{article} {' '.join(words)}", flush=True)
    return int(importlib.import_module(f"rl.{article}").main())


def row_of(article: str, seed: int, figures: dict[str, Any]) -> dict[str, Any]:
    score, solved_at, others = MEASURES[article].read(figures)
    return {"seed": seed, "score": score, "solved_at": solved_at, **others}


@contextlib.contextmanager
def printed_to(path: Path) -> Iterator[None]:
    """Everything that is printed goes to the end of this file, also what compiled code prints."""
    with open(path, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    streams: tuple[TextIO, ...] = (sys.stdout, sys.stderr)
    try:
        yield
    finally:
        for stream in streams:
            stream.flush()


def last_words(path: Path) -> str:
    """Why a run failed: what stands behind its last `error: `, else the last line that it printed."""
    lines = [
        line.strip()
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.strip()
    ]
    errors = [line for line in lines if line.startswith("error: ")]
    return (errors or lines or ["it printed nothing"])[-1].removeprefix("error: ")


if __name__ == "__main__":
    os._exit(main())  # every file is closed; threads that others started are not waited for
