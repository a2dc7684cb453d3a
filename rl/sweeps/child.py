"""The process that does jobs one after the other: it loads modules and compiled code once, and a crash costs
only one run.

    in   a line of JSON for each job: {"folder", "article", "key", "settings", "seeds", "cwd", "stop"}
    out  a line of JSON for each: {"state": "done" | "failed" | "taken"}

It ends when its input ends, because its worker is gone, or when the file named by "stop" appears. The current
run then writes its checkpoint first, as after Ctrl-C.
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

from rl.articles import COMMANDS, program_of
from rl.command import threads
from rl.command.cli import exit_codes
from rl.command.settings import check_values
from rl.command.streams import whole_streams
from rl.runs import checkpoint
from rl.runs.run_folder import write_json
from rl.sweeps import record
from rl.sweeps.claim import claim
from rl.sweeps.measures import measure
from rl.sweeps.record import Record
from rl.sweeps.subject import own_algorithm
from rl.training.command import run

TAKEN = "taken"
PATIENCE = 3.0  # seconds in which an ending process must release its claim
GRACE = 30.0  # seconds to write a checkpoint after an interruption
WATCH_SECONDS = 0.2  # between two checks whether to stop
OUTPUT, SETTINGS, RESULT = "output.txt", "settings.json", "result.json"


def main() -> int:
    """Do jobs until the input ends."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a worker may have left it ignored
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")  # stdout itself becomes the file of each run
    jobs = Jobs()
    try:
        while (job := jobs.next()) is not None:
            state = do_job(job)
            jobs.finish()
            with contextlib.suppress(OSError):  # a dead worker needs no reply
                print(json.dumps({"state": state}), file=replies, flush=True)
    except KeyboardInterrupt:
        return 130
    return 0


class Jobs:
    """The jobs from standard input; interrupts the current one when it must stop."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._stop: Path | None = None  # of the current job
        self._ended = False
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    def next(self) -> dict[str, Any] | None:
        """Wait for the next job; None when the input has ended."""
        job = self._jobs.get()
        self._stop = None if job is None else Path(job["stop"])
        return job

    def finish(self) -> None:
        """Mark the current job as done: it is no longer interrupted."""
        self._stop = None

    def _listen(self) -> None:
        for line in sys.stdin:
            self._jobs.put(json.loads(line))
        self._ended = True
        self._jobs.put(None)

    def _watch(self) -> None:
        """Interrupt the current job like Ctrl-C; end the process if the job does not stop."""
        while True:
            time.sleep(WATCH_SECONDS)
            stop = self._stop
            if stop is not None and (self._ended or stop.exists()):
                _thread.interrupt_main()
                time.sleep(GRACE)
                os._exit(130)


def do_job(job: dict[str, Any]) -> str:
    """Do a job in its folder, unless it has ended or another process is doing it; returns its state."""
    folder = Path(job["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    with claim(folder, PATIENCE) as mine:
        if not mine:
            return TAKEN
        ended = record.read(folder)
        if ended is None:
            ended = perform(folder, job)
            ended.write(folder)
        return ended.state


def perform(folder: Path, job: dict[str, Any]) -> Record:
    """Run the job and record its end; raises KeyboardInterrupt when it was interrupted."""
    begin = time.perf_counter()
    with redirect_output(folder / OUTPUT):
        try:
            os.chdir(job["cwd"])
            rows = measure_seeds(job) if len(job["seeds"]) > 1 else [measure_run(folder, job)]
        except KeyboardInterrupt:
            raise
        except Exception:
            traceback.print_exc()
            rows = []
    seconds = time.perf_counter() - begin
    if rows and None not in rows:
        return Record(record.DONE, tuple(row for row in rows if row is not None), seconds)
    return Record(record.FAILED, (), seconds, last_words(folder / OUTPUT))


def measure_seeds(job: dict[str, Any]) -> list[dict[str, Any] | None]:
    """Run all seeds in one call of the article; returns a row for each."""
    module = importlib.import_module(COMMANDS[job["article"]])
    settings = module.Settings(**check_values(module.Settings, job["settings"]))
    threads.use_threads(settings.num_threads)
    figures = module.measure_seeds(settings, job["seeds"])
    return [measure(job["article"], seed, found) for seed, found in zip(job["seeds"], figures)]


def measure_run(folder: Path, job: dict[str, Any]) -> dict[str, Any] | None:
    """Run the article like `python -m rl.ARTICLE`; returns its row, None when it failed."""
    (seed,) = job["seeds"]
    results = list(folder.glob(f"*/{RESULT}"))
    if not results:
        code = run_article(job["article"], flags_of(folder, job, seed))
        if code in (130, 143):
            raise KeyboardInterrupt
        results = list(folder.glob(f"*/{RESULT}"))
        if code != 0 or not results:
            return None
    return measure(job["article"], seed, json.loads(results[0].read_text(encoding="utf-8")))


def flags_of(folder: Path, job: dict[str, Any], seed: int) -> list[str]:
    """Return the flags that resume a readable checkpoint, or start a new run."""
    for path in folder.glob(f"*/{checkpoint.NAME}"):
        with contextlib.suppress(ValueError, OSError):
            checkpoint.Checkpoints(path.parent).load()
            return ["--resume", str(path.parent), "--num-threads", "1"]
    for begun in folder.iterdir():
        if begun.is_dir():
            shutil.rmtree(begun, ignore_errors=True)
    write_json(folder / SETTINGS, {"settings": job["settings"]})
    flags = {"config": folder / SETTINGS, "seed": seed, "out": folder, "num-threads": 1}
    return [word for name, value in flags.items() for word in (f"--{name}", str(value))]


def run_article(article: str, words: list[str]) -> int:
    """Run the article as if by this command line; returns its exit code."""
    print(f"$ {program_of(article)} {' '.join(words)}", flush=True)
    if article in COMMANDS:
        return int(importlib.import_module(COMMANDS[article]).main(words))
    return int(exit_codes(run)(own_algorithm(article), "", (), argv=words))


@contextlib.contextmanager
def redirect_output(path: Path) -> Iterator[None]:
    """Append all output to this file, that of compiled code too."""
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
    """Return why a run failed: the text behind its last `error: `, else the last line that it printed."""
    lines = [
        line.strip()
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.strip()
    ]
    errors = [line for line in lines if line.startswith("error: ")]
    return (errors or lines or ["it printed nothing"])[-1].removeprefix("error: ")


if __name__ == "__main__":
    with whole_streams():
        code = main()
    os._exit(code)  # every file is closed; do not wait for threads of other libraries
