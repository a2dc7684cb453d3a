"""Runs one article as a process of its own and collects what it left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rl.tools.exhibits import EXHIBITS
from rl.tools.figures import Figures, Row

ECHO_SECONDS = 10.0  # a line of a long run is repeated this often


@dataclass(frozen=True)
class Outcome:
    """What became of one article.

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
        """reached, missed or failed."""
        return "failed" if self.problem else "reached" if self.reached else "missed"

    @property
    def headline(self) -> Row | None:
        """The one figure that stands for the article."""
        return self.rows[EXHIBITS[self.module].headline] if self.rows else None


def run_article(
    module: str, flags: list[str], out: Path, quick: bool, echo: Callable[[str], None] = print
) -> Outcome:
    """Run `python -m rl.MODULE FLAGS --out OUT`; a failure is an outcome too.

    Its output is kept in OUT/MODULE.txt.
    """
    words = ["-m", f"rl.{module}", *flags]
    begin = time.perf_counter()
    code, output = execute([sys.executable, *words, "--out", str(out)], out / f"{module}.txt", echo)
    seconds = time.perf_counter() - begin
    command = " ".join(["python", *words])
    if code != 0:
        lines = [line for line in output.splitlines() if line.strip()]
        return Outcome(
            module,
            command,
            seconds,
            output,
            problem=f"exit code {code}: {lines[-1] if lines else 'it printed nothing'}",
        )
    return judged(module, command, seconds, output, newest(out, module), quick)


def execute(command: list[str], log: Path, echo: Callable[[str], None]) -> tuple[int, str]:
    """Exit code and output of a command; both its streams go to the log, a line now and then to `echo`."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    said = time.monotonic()
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
                if line.strip() and time.monotonic() - said > ECHO_SECONDS:
                    echo("      " + line.rstrip())
                    said = time.monotonic()
        except BaseException:  # the user's Ctrl-C reaches the article too: let it end first
            process.terminate()
            raise
    return process.returncode, "".join(lines)


def newest(out: Path, module: str) -> Path | None:
    """The run folder that this article left."""
    folders = [folder for folder in out.glob(f"{module}__*") if folder.is_dir()]
    return max(folders, key=lambda folder: folder.stat().st_mtime, default=None)


def judged(
    module: str, command: str, seconds: float, output: str, folder: Path | None, quick: bool
) -> Outcome:
    """The outcome of a run that ended well: its figures, if they are there, and whether they are as
    promised.
    """
    exhibit = EXHIBITS[module]
    try:
        figures = read_figures(folder)
        rows = tuple(exhibit.rows(figures))
        reached = bool((quick and exhibit.quick_reached or exhibit.reached)(figures))
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as problem:
        return Outcome(
            module,
            command,
            seconds,
            output,
            folder,
            problem=f"no figures in result.json: {type(problem).__name__} {problem}",
        )
    return Outcome(module, command, seconds, output, folder, figures, rows, reached)


def read_figures(folder: Path | None) -> dict[str, Any]:
    """result.json of a run folder."""
    if folder is None:
        raise FileNotFoundError("it left no run folder")
    figures = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    if not isinstance(figures, dict):
        raise ValueError("it holds no figures")
    return figures
