"""Measure the sides of a question in turns, A B C A B C, so that a drift of the machine affects all alike."""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.questions import Options, Question, Row, Side

ROOT = Path(__file__).resolve().parents[1]
SLOWING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # select slower kernels for NumPy's BLAS only
UNUSUAL = ("PYTHONDONTWRITEBYTECODE", "NNLITE_TARGET")  # slow down imports, or our kernels
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def environment(threads: int) -> dict[str, str]:
    """Make the environment variables of a worker: none that slows one side, and the number of threads."""
    kept = {key: value for key, value in os.environ.items() if key not in SLOWING + UNUSUAL}
    kept |= dict.fromkeys(THREAD_VARIABLES, str(threads))
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    kept["JAX_PLATFORMS"] = "cpu"
    if threads == 1:
        kept["XLA_FLAGS"] = (kept.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false").strip()
    return kept


class Worker:
    """One running worker process."""

    def __init__(self, threads: int) -> None:
        self.complaints = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.worker", str(threads)],
            cwd=ROOT,
            env=environment(threads),
            text=True,
            encoding="utf-8",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.complaints,
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request; returns the answer, or {"absent": its last line} if the process has died."""
        try:
            assert self.process.stdin and self.process.stdout
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            return dict(json.loads(self.process.stdout.readline()))
        except (OSError, ValueError):
            self.complaints.seek(0)
            lines = self.complaints.read().decode(errors="replace").strip().splitlines()
            return {"absent": "the process ended: " + (lines[-1][:200] if lines else "without a word")}

    def close(self) -> None:
        self.process.communicate()
        self.complaints.close()


class Entrant:
    """A side that is ready in its worker, with the samples of each round."""

    def __init__(self, side: Side, worker: Worker, threads: int) -> None:
        self.side, self.worker = side, worker
        module, function = side.make.split(":")
        self.made = worker.ask(make=[module, function, threads, side.arguments])
        self.absent: str = self.made.get("absent", "")
        self.rounds: list[list[float]] = []

    def run(self, seconds: float) -> None:
        answer = self.worker.ask(time=self.made["ready"], seconds=seconds)
        self.absent = answer.get("absent", "")
        self.rounds.append(answer.get("seconds", []))

    @property
    def all(self) -> list[float]:
        return [sample for samples in self.rounds for sample in samples]

    @property
    def median(self) -> float:
        return statistics.median(self.all)


def compare(question: Question, options: Options) -> list[Row]:
    """Measure a question for every number of threads that it and the options have; returns the rows."""
    rows = []
    for threads in question.threads:
        if threads in options.threads:
            rows += compare_at(question, options, threads)
    return rows


def compare_at(question: Question, options: Options, threads: int) -> list[Row]:
    """Measure all sides with this number of threads, in turns."""
    rows: list[Row] = []
    entrants: list[Entrant] = []
    workers: dict[tuple[str, ...], Worker] = {}  # of each set of packages
    try:
        for side in question.sides if options.peers else question.sides[:1]:
            if side.threads and threads not in side.threads:
                continue
            missing = [name for name in side.packages if not installed(name)]
            if missing:
                rows.append(blank(question, side, threads, f"absent: {', '.join(missing)} not installed"))
                continue
            if side.packages not in workers:
                workers[side.packages] = Worker(threads)
            entrants.append(Entrant(side, workers[side.packages], threads))
        refuse_different_work(entrants)
        for _ in range(options.rounds):
            for entrant in entrants:
                if not entrant.absent:
                    entrant.run(options.seconds)
    finally:
        for worker in workers.values():
            worker.close()
    return [row_of(question, entrant, entrants, threads) for entrant in entrants] + rows


def installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def refuse_different_work(entrants: list[Entrant]) -> None:
    """Raise ValueError when two sides train networks of different sizes."""
    sizes = {e.side.name: e.made["parameters"] for e in entrants if e.made.get("parameters")}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"the sides train networks of different sizes: {sizes}")


def blank(question: Question, side: Side, threads: int, note: str) -> Row:
    return Row(question.id, question.name, question.work, side.name, threads, unit=question.unit, note=note)


def row_of(question: Question, entrant: Entrant, entrants: list[Entrant], threads: int) -> Row:
    """Make the row of one side; ours has the ratio to the fastest peer."""
    if entrant.absent:
        return blank(question, entrant.side, threads, f"failed: {entrant.absent}")
    row = blank(question, entrant.side, threads, "")
    samples = entrant.all
    row.seconds, row.fastest, row.slowest, row.samples = (
        entrant.median,
        min(samples),
        max(samples),
        len(samples),
    )
    row.rate = entrant.made["amount"] / row.seconds
    peers = [e for e in entrants if e is not entrants[0] and e.side.peer and not e.absent]
    if entrant is entrants[0]:
        row.target, row.limit = question.target.get(threads), question.limit or None
        if peers:
            best = max(peers, key=lambda e: e.made["amount"] / e.median)
            ratios = [
                ratio(statistics.median(a), statistics.median(b), entrant, best)
                for a, b in zip(entrant.rounds, best.rounds)
            ]
            row.ratio, row.against = ratio(entrant.median, best.median, entrant, best), best.side.name
            row.ratio_least, row.ratio_most = min(ratios), max(ratios)
    return row


def ratio(ours: float, theirs: float, entrant: Entrant, peer: Entrant) -> float:
    """Return our work rate over theirs."""
    return theirs / ours * entrant.made["amount"] / peer.made["amount"]
