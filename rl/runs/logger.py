"""Logger: writes what happened, as files that common tools read.

    progress.csv   a row every log interval: steps, rates, means of the update's metrics
    monitor.csv    a row an episode, in Stable-Baselines3's format: r(eturn), l(ength), t(ime since the start)
    events...      TensorBoard scalars and images; the x axis is environment steps

Tags are named as Stable-Baselines3 names them.
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

BOARD_SECONDS = 5.0  # between two waits for TensorBoard's file: each is an fsync


class Logger:
    """The log files of one run folder.

    state  what get_state gave when the run was saved: its files are continued from there, what was written
           later is cut off
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
        if state is None:
            self._progress_rows.writeheader()
            self._monitor.write(f"#{json.dumps({'t_start': self.started, 'env_id': env_id})}\nr,l,t\n")
        self._board_flushed = time.time()
        self._board = import_summary_writer()(
            str(folder), write_to_disk=True, purge_step=self._step + 1 if state else None
        )

    def _open(self, name: str, state: dict[str, Any] | None) -> TextIO:
        if state is not None and (self.folder / name).is_file():
            with open(self.folder / name, "rb+") as file:
                file.truncate(min(state["sizes"][name], file.seek(0, 2)))
        return open(self.folder / name, "w" if state is None else "a", encoding="utf-8", newline="")

    @property
    def files(self) -> list[Path]:
        """The tables, to which get_state refers."""
        return [self.folder / "progress.csv", self.folder / "monitor.csv"]

    def get_state(self) -> dict[str, Any]:
        """How far the tables have come, and the sums of the next row."""
        self.flush()
        sizes = {
            path.name: os.fstat(file.fileno()).st_size
            for path, file in zip(self.files, (self._progress, self._monitor))
        }
        return {
            "sizes": sizes,
            "sums": self._sums,
            "counts": self._counts,
            "step": self._step,
            "seconds": time.time() - self.started,
        }

    def add_episode(self, total: float, length: int) -> None:
        """One finished training game."""
        self._monitor.write(f"{total:.6g},{length},{time.time() - self.started:.3f}\n")

    def add_metrics(self, metrics: dict[str, float]) -> None:
        """Metrics of one update; their means are written with the next row."""
        for name, value in metrics.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def write_row(self, step: int, values: dict[str, float]) -> dict[str, float]:
        """Write `values` and the means since the last row, to progress.csv and TensorBoard; returns them
        all.
        """
        values = {**values, **{name: self._sums[name] / self._counts[name] for name in self._sums}}
        self._sums, self._counts = {}, {}
        unknown = set(values) - set(self.columns)
        if unknown:
            raise ValueError(f"progress.csv has no column {sorted(unknown)}")
        self._progress_rows.writerow(
            {"time/total_timesteps": step, **{k: f"{v:.6g}" for k, v in values.items()}}
        )
        self.write_scalars(step, values)
        self._step = step
        self.flush()
        return values

    def write_scalars(self, step: int, values: dict[str, float]) -> None:
        """TensorBoard scalars; numbers that are not finite are left out."""
        for name, value in values.items():
            if np.isfinite(value):
                self._board.add_scalar(name, value, step)

    def write_image(self, step: int, name: str, frames: list[Array]) -> None:
        """Grey frames (H, W) side by side as one TensorBoard image: what the network saw."""
        if frames:
            self._board.add_image(name, np.concatenate(frames, axis=1), step, dataformats="HW")

    def write_histogram(self, step: int, name: str, values: Array) -> None:
        """A TensorBoard histogram."""
        self._board.add_histogram(name, values, step)

    def flush(self) -> None:
        """What was logged so far is in the files, readable while the run goes on; TensorBoard's, which waits
        for the disk, now and then.
        """
        self._progress.flush()
        self._monitor.flush()
        if time.time() - self._board_flushed > BOARD_SECONDS:
            self._board_flushed = time.time()
            self._board.flush()

    def close(self) -> None:
        """Finish the files."""
        self._board.flush()
        self._progress.close()
        self._monitor.close()
        self._board.close()


def import_summary_writer() -> Any:
    """tensorboardX's SummaryWriter.

    PyTorch, where it is installed, is kept from being imported with it, which takes a second or more: only to
    tell tensors from arrays, and there are none here."""
    modules: dict[str, Any] = sys.modules
    if "tensorboardX" in modules or "torch" in modules:
        from tensorboardX import SummaryWriter

        return SummaryWriter
    modules["torch"] = None  # an import of it fails
    try:
        from tensorboardX import SummaryWriter
    finally:
        del modules["torch"]
    return SummaryWriter
