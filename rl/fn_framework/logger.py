"""Logger: reports to the console, to a plot and to TensorBoard, from the articles' framework."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnlite import Sequential
from nnlite.arrays import Array
from nnlite.summary import summary_table
from nnlite.terminal import say
from rl.runs.logger import BOARD_SECONDS, import_summary_writer
from rl.watch.plots import draw_rewards, name_axes


class Logger:
    """The folder of a training, and what is written there.

    log_dir   default: `logs` in the current folder
    dir_name  a folder in log_dir

    Both are made if they are missing.
    """

    def __init__(self, log_dir: Any = "", dir_name: str = "") -> None:
        folder = Path(log_dir or "logs", dir_name)
        folder.mkdir(parents=True, exist_ok=True)
        self.log_dir = str(folder)

    @cached_property
    def writer(self) -> Any:
        """The tensorboardX SummaryWriter; TensorBoard's file begins when it is first used."""
        return import_summary_writer()(self.log_dir, flush_secs=BOARD_SECONDS)

    def set_model(self, model: Any) -> None:
        """Write the model's layers, as text; of a model that is not nnlite's, its repr."""
        table = summary_table(model) if isinstance(model, Sequential) else repr(model)
        self.writer.add_text("model", "".join(f"    {line}\n" for line in table.splitlines()))

    def path_of(self, file_name: str) -> str:
        """Return the path of a file in the folder."""
        return str(Path(self.log_dir, file_name))

    def describe(self, name: str, values: Any, episode: int = -1, step: int = -1) -> None:
        """Print mean and deviation of the values, and when: "At episode 10, reward is 22.1 (+/-9.6)"."""
        when = f"At episode {episode}, " if episode > 0 else f"At step {step}, " if step > 0 else ""
        mean, deviation = round(float(np.mean(values)), 3), round(float(np.std(values)), 3)
        say(f"{when}{name} is {mean} (+/-{deviation})")

    def plot(self, name: str, values: Sequence[float], interval: int = 10) -> None:
        """Plot the mean of every `interval` values with a band of one deviation.

        The plot is written to `name`.png in the folder, and shown where there is a screen or a notebook.
        """
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=(8, 4.5), layout="constrained")
        axes = figure.add_subplot()
        name_axes(axes, f"{name} History", "episode", name.lower())
        draw_rewards(axes, values, interval)
        axes.legend(loc="best", edgecolor="none")
        figure.savefig(self.path_of(name.lower().replace("/", "_") + ".png"), dpi=120)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "FigureCanvas.* is non-interactive")  # no screen
            plt.show()
        plt.close(figure)

    def write(self, index: int, name: str, value: float) -> None:
        """Write a scalar to TensorBoard; index is its place on the x axis."""
        self.writer.add_scalar(name, value, index)

    def write_image(self, index: int, frames: Sequence[Array]) -> None:
        """Write the newest screen of each state (H, W, frames) to TensorBoard; its slider moves through them.

        Where numbers are negative, 0 is middle gray. Raises ValueError for states of another shape.
        """
        states = np.asarray(frames, float)
        if states.ndim != 4:
            raise ValueError(
                f"states {states.shape[1:]} are no screens (H, W, frames): use observe_interval=0"
            )
        screens = states[..., -1]
        largest = np.abs(screens).max() or 1.0
        scale, offset = (127, 128) if screens.min() < 0 else (255, 0)
        for step, picture in enumerate((screens / largest * scale + offset).astype(np.uint8)):
            self.writer.add_image(f"frames_at_training_{index}", picture, step, dataformats="HW")
