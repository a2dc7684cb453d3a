"""Run one article in its own process and read the figures that it leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rl.tools.exhibits import EXHIBITS
from rl.tools.figures import Figures, Row

ECHO_SECONDS = 10.0  # between two lines of a long run that are printed here too


@dataclass(frozen=True)
class Outcome:
    """The outcome of one article.

    problem  why there are no figures; empty when there are
    reached  the figures are those that the article promises
    """

    module: str
    command: str
    seconds: float
    output: str
    folder: Path | None = None
    figures: Figures | None = None
    rows: tuple[Row, ...] = ()
    reached: bool = False
    problem: str = ""

    @property
    def state(self) -> str:
        """One of reached, missed, failed."""
        return "failed" if self.problem else "reached" if self.reached else "missed"

    @property
    def headline(self) -> Row | None:
        """The figure that represents the article."""
        return self.rows[EXHIBITS[self.module].headline] if self.rows else None


def run_article(module: str, flags: list[str], out: Path, quick: bool) -> Outcome:
    """Run `python -m rl.MODULE FLAGS --out OUT`, with its output in OUT/MODULE.txt; never raises for it."""
    words = ["-m", f"rl.{module}", *flags]
    begin = time.perf_counter()
    code, output = execute([sys.executable, *words, "--out", str(out)], out / f"{module}.txt")
    seconds = time.perf_counter() - begin
    command = " ".join(["python", *words])
    if code != 0:
        lines = [line for line in output.splitlines() if line.strip()]
        problem = f"exit code {code}: {lines[-1] if lines else 'it printed nothing'}"
        return Outcome(module, command, seconds, output, problem=problem)
    return judge(module, command, seconds, output, newest_folder(out, module), quick)


def execute(command: list[str], log: Path) -> tuple[int, str]:
    """Run a command; returns its exit code and output.

    Output and errors go to the log; a line now and then is printed here too.
    """
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    echoed = time.monotonic()
    lines = []
    with (
        open(log, "w", encoding="utf-8") as file,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                file.write(line)
                lines.append(line)
                if line.strip() and time.monotonic() - echoed > ECHO_SECONDS:
                    print("      " + line.rstrip(), flush=True)
                    echoed = time.monotonic()
        except BaseException:  # Ctrl-C reaches the article too: `with` waits for its end
            process.terminate()
            raise
    return process.returncode, "".join(lines)


def newest_folder(out: Path, module: str) -> Path | None:
    """Find the run folder of this article."""
    folders = [folder for folder in out.glob(f"{module}__*") if folder.is_dir()]
    return max(folders, key=lambda folder: folder.stat().st_mtime, default=None)


def judge(
    module: str, command: str, seconds: float, output: str, folder: Path | None, quick: bool
) -> Outcome:
    """Read the figures of an article that ended without error and compare them with its promise."""
    exhibit = EXHIBITS[module]
    try:
        figures = read_figures(folder)
        rows = tuple(exhibit.rows(figures))
        reached = bool((quick and exhibit.quick_reached or exhibit.reached)(figures))
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        problem = f"no figures in result.json: {type(error).__name__} {error}"
        return Outcome(module, command, seconds, output, folder, problem=problem)
    return Outcome(module, command, seconds, output, folder, figures, rows, reached)


def read_figures(folder: Path | None) -> dict[str, Any]:
    """Read result.json of a run folder."""
    if folder is None:
        raise FileNotFoundError("it left no run folder")
    figures = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    if not isinstance(figures, dict):
        raise ValueError("it holds no figures")
    return figures
