"""Logger: writes the log files of a run, in formats that common tools read.

    progress.csv     a row per log interval: steps, rates, means of the updates' metrics
    monitor.csv      a row per episode, in Stable-Baselines3's format: r(eturn), l(ength), t(ime in seconds)
    evaluations.csv  a row per evaluation: steps so far, its returns, whether it solved the run
    events...        TensorBoard scalars, images and histograms; the x axis is environment steps

The tags have Stable-Baselines3's names.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from nnlite.arrays import Array
from rl.core.evaluation import Evaluation
from rl.runs.evaluations import COLUMNS, EVALUATIONS

EVENTS = "events.out.tfevents.*"  # names of TensorBoard's files
BOARD_SECONDS = 5.0  # between two flushes of TensorBoard's file: each waits for the disk (fsync)


class Logger:
    """The log files of one run folder.

    columns  of progress.csv
    state    of `get_state`, to resume: the files are truncated to that moment and continued
    """

    def __init__(
        self, folder: Path, env_id: str, columns: tuple[str, ...], state: dict[str, Any] | None = None
    ) -> None:
        self.folder, self.columns = folder, columns
        self.started = time.time() - (state["seconds"] if state else 0.0)
        self._sums: dict[str, float] = dict(state["sums"]) if state else {}
        self._counts: dict[str, int] = dict(state["counts"]) if state else {}
        self._step = state["step"] if state else 0
        self._progress = self._open("progress.csv", state)
        self._progress_rows = csv.DictWriter(self._progress, columns, restval="", lineterminator="\n")
        self._monitor = self._open("monitor.csv", state)
        self._evaluations = self._open(EVALUATIONS, state)
        self._evaluation_rows = csv.writer(self._evaluations, lineterminator="\n")
        if state is None:
            self._progress_rows.writeheader()
            self._evaluation_rows.writerow(COLUMNS)
            self._monitor.write(f"#{json.dumps({'t_start': self.started, 'env_id': env_id})}\nr,l,t\n")
        self._board_flushed = time.time()
        purge_step = self._step + 1 if state else None  # TensorBoard hides what was logged after the state
        self._board = import_summary_writer()(str(folder), write_to_disk=True, purge_step=purge_step)

    def _open(self, name: str, state: dict[str, Any] | None) -> TextIO:
        """Open a table: a new one, or one truncated to the state."""
        if state is not None and (self.folder / name).is_file():
            with open(self.folder / name, "rb+") as file:
                file.truncate(min(state["sizes"][name], file.seek(0, 2)))
        return open(self.folder / name, "w" if state is None else "a", encoding="utf-8", newline="")

    @property
    def _tables(self) -> tuple[TextIO, ...]:
        return self._progress, self._monitor, self._evaluations

    @property
    def files(self) -> list[Path]:
        """The tables whose sizes `get_state` returns."""
        return [self.folder / name for name in ("progress.csv", "monitor.csv", EVALUATIONS)]

    def get_state(self) -> dict[str, Any]:
        """Return the sizes of the tables in bytes, and the sums of the next row."""
        self.flush()
        sizes = {path.name: os.fstat(file.fileno()).st_size for path, file in zip(self.files, self._tables)}
        return {
            "sizes": sizes,
            "sums": self._sums,
            "counts": self._counts,
            "step": self._step,
            "seconds": time.time() - self.started,
        }

    def add_episode(self, total: float, length: int) -> None:
        """Add a finished training game to monitor.csv."""
        self._monitor.write(f"{total:.6g},{length},{time.time() - self.started:.3f}\n")

    def add_evaluation(
        self, step: int, episodes: int, result: Evaluation, solved: bool, by_mean: bool
    ) -> None:
        """Add an evaluation to evaluations.csv and TensorBoard.

        episodes  training games finished before it
        solved    the environment counts as solved from this evaluation on
        by_mean   the goal is a mean return, so that every evaluation has a whole one
        """
        numbers = (time.time() - self.started, len(result.returns), result.mean, result.std, result.score)
        texts = [f"{number:.6g}" for number in numbers]
        self._evaluation_rows.writerow([step, episodes, *texts, int(result.complete), int(solved)])
        self.write_scalars(step, {"eval/score": result.score})
        if by_mean:
            self.write_scalars(step, {"eval/mean_reward": result.mean})

    def add_metrics(self, metrics: dict[str, float]) -> None:
        """Add the metrics of one update; the next row contains their means."""
        for name, value in metrics.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def write_row(self, step: int, values: dict[str, float]) -> None:
        """Write `values` and the means since the last row to progress.csv and TensorBoard."""
        values = {**values, **{name: self._sums[name] / self._counts[name] for name in self._sums}}
        self._sums, self._counts = {}, {}
        unknown = set(values) - set(self.columns)
        if unknown:
            raise ValueError(f"progress.csv has no column {sorted(unknown)}")
        texts = {name: f"{value:.6g}" for name, value in values.items()}
        self._progress_rows.writerow({"time/total_timesteps": step, **texts})
        self.write_scalars(step, values)
        self._step = step
        self.flush()

    def write_scalars(self, step: int, values: dict[str, float]) -> None:
        """Write TensorBoard scalars, except numbers that are not finite."""
        for name, value in values.items():
            if np.isfinite(value):
                self._board.add_scalar(name, value, step)

    def write_image(self, step: int, name: str, frames: list[Array]) -> None:
        """Write grey frames (H, W) side by side as one TensorBoard image."""
        if frames:
            self._board.add_image(name, np.concatenate(frames, axis=1), step, dataformats="HW")

    def write_histogram(self, step: int, name: str, values: Array) -> None:
        """Write a TensorBoard histogram."""
        self._board.add_histogram(name, values, step)

    def flush(self) -> None:
        """Write buffered rows to the files, so that they can be read during the run.

        TensorBoard's file is flushed at most once in BOARD_SECONDS.
        """
        for file in self._tables:
            file.flush()
        if time.time() - self._board_flushed > BOARD_SECONDS:
            self._board_flushed = time.time()
            self._board.flush()

    def close(self) -> None:
        """Flush and close the files."""
        self._board.flush()
        for file in self._tables:
            file.close()
        self._board.close()


def import_summary_writer() -> Any:
    """Import tensorboardX's SummaryWriter, without PyTorch.

    tensorboardX imports PyTorch if it is installed, which takes a second or more. It needs PyTorch only to
    recognise tensors, and the logger has none.
    """
    modules: dict[str, Any] = sys.modules
    if "tensorboardX" in modules or "torch" in modules:
        from tensorboardX import SummaryWriter

        return SummaryWriter
    modules["torch"] = None  # makes `import torch` fail
    try:
        from tensorboardX import SummaryWriter
    finally:
        del modules["torch"]
    return SummaryWriter
