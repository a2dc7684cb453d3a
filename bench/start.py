"""How long does it take from the start of a process to its first result?

Workload: a user who types a command: `import nnlite`, compared with the imports of the frameworks; `python -m
rl`; and the first update of `python -m rl.dqn --test`, after 32 random steps instead of 1,000, so that the
start is measured. The update is measured with the compiled simulators cached, as after any earlier run, and
with an empty cache.

With --long it also measures the time until a solved Catcher is on disk, for `python -m rl.dqn` and `python -m
rl.a2c` with default settings, ten seeds each, on all cores: minutes for one, up to an hour for the other.
Every seed counts, solved or not.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.harness import ROOT, compare, environment
from bench.questions import Options, Question, Row, Side, Work

SEEDS = range(10)
FIRST_STEP = """
import os, sys
from rl import dqn
learn = dqn.DeepQNetworkAgent.update
def first(agent, batch):
    learn(agent, batch)
    os._exit(0)
dqn.DeepQNetworkAgent.update = first
sys.argv = ["rl.dqn", "--test", "--learning-starts", "32", "--out", sys.argv[1]]
sys.exit(dqn.main() or 1)
"""


def process(threads: int, *arguments: str) -> Work:
    """Run `python ARGUMENTS` to its end; raises CalledProcessError when it fails."""
    return Work(
        lambda: subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    )


def first_step(threads: int, cold: bool) -> Work:
    """Run until the first update is done; `cold` gives numba an empty cache."""

    def step() -> None:
        with tempfile.TemporaryDirectory() as folder:
            variables = os.environ | ({"NUMBA_CACHE_DIR": folder} if cold else {})
            subprocess.run(
                [sys.executable, "-c", FIRST_STEP, folder],
                cwd=ROOT,
                check=True,
                stdout=subprocess.DEVNULL,
                env=variables,
            )

    return Work(step)


def imports(package: str) -> Side:
    return Side(f"import {package}", "bench.start:process", ("-c", f"import {package}"), (package,))


def one(id: str, work: str, limit: float, side: Side, *peers: Side) -> Question:
    return Question(id, "start", work, "starts/s", (side, *peers), threads=(1,), limit=limit)


QUESTIONS = (
    one(
        "W13",
        "import, as a whole process",
        0.12,
        Side("import nnlite", "bench.start:process", ("-c", "import nnlite")),
        imports("jax"),
        imports("torch"),
        imports("stable_baselines3"),
        Side("(python alone)", "bench.start:process", ("-c", "pass"), peer=False),
        Side("(import numpy)", "bench.start:process", ("-c", "import numpy"), peer=False),
    ),
    one("W13a", "python -m rl", 0.4, Side("nnlite", "bench.start:process", ("-m", "rl"))),
    one(
        "W13b",
        "first update of rl.dqn --test",
        2.0,
        Side("nnlite, cached simulators", "bench.start:first_step", (False,)),
        Side("nnlite, empty cache", "bench.start:first_step", (True,), peer=False),
    ),
)


def run(options: Options) -> list[Row]:
    rows = [row for question in QUESTIONS for row in compare(question, options)]
    if options.long:
        rows += [solved("W12", "dqn", 30.0), solved("W12b", "a2c", 180.0)]
    return rows


def solved(id: str, article: str, limit: float) -> Row:
    """Measure the processes `python -m rl.ARTICLE` of all seeds; the note counts the solved ones."""
    cores = os.cpu_count() or 1
    seconds, results = [], []
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", f"rl.{article}", "--seed", str(seed), "--out", folder],
                cwd=ROOT,
                env=environment(cores),
                stdout=subprocess.DEVNULL,
                check=True,
            )
            seconds.append(time.perf_counter() - start)
            results += [
                json.loads(path.read_text(encoding="utf-8")) for path in Path(folder).glob("*/result.json")
            ]
    count = sum(result["solved_at"] is not None for result in results)
    median = statistics.median(seconds)
    return Row(
        id,
        "start",
        f"python -m rl.{article}, until Catcher is solved and saved",
        "nnlite",
        cores,
        median,
        min(seconds),
        max(seconds),
        len(seconds),
        1 / median,
        "runs/s",
        limit=limit,
        note=f"{count} of {len(SEEDS)} seeds solved",
    )
