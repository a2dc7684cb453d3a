"""Kills workers of a sweep, and the processes of its runs, at random moments; the table must come out as if
nothing had been.

    python -m tests.tools.sweep_kills 10       ten kills, a few minutes (Linux)

Prints what was killed and whether the table is that of a sweep that was left alone, and fails when it is not.
"""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rl.sweeps.table import CSV, TIMES
from tests.processes import descendants

RUNS = "value_function --set keep-going=true --set eval-freq=0 --set eval-episodes=5 --jobs 2".split()
KINDS = {"rl.sweeps.child": "runs", "loky": "workers"}


def command(out: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "rl", "sweep", *words, "--out", str(out)]


def table(out: Path) -> list[dict[str, str]]:
    """The table of the only sweep in this folder, without the times."""
    (folder,) = out.glob("sweep__*")
    with open(folder / CSV, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{name: value for name, value in row.items() if name not in TIMES} for row in rows]


def kill_one(root: int, rng: random.Random, kind: str) -> bool:
    """Kill a process of this kind below `root`, if there is one."""
    lines = descendants(root).items()
    chosen = [pid for pid, line in lines if kind in line and "resource_tracker" not in line]
    if not chosen:
        return False
    try:
        os.kill(rng.choice(chosen), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def main(kills: int, seeds: int, steps: int) -> int:
    """One sweep left alone, one with kills; 0 when their tables are equal."""
    rng = random.Random(0)
    runs = [*RUNS, "--seeds", f"0:{seeds}"]
    runs += ["--set", f"total-timesteps={steps}", "--set", f"save-freq={max(steps // 10, 500)}"]
    killed = dict.fromkeys(KINDS.values(), 0)
    with tempfile.TemporaryDirectory() as alone, tempfile.TemporaryDirectory() as disturbed:
        subprocess.run(command(Path(alone), *runs), check=True, stdout=subprocess.DEVNULL)
        sweep = subprocess.Popen(
            command(Path(disturbed), *runs), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        while sum(killed.values()) < kills and sweep.poll() is None:
            time.sleep(rng.uniform(0, 3 * steps / 40_000))  # a run takes about twice that long
            kind = list(KINDS)[sum(killed.values()) % 2]  # in turn
            killed[KINDS[kind]] += kill_one(sweep.pid, rng, kind)
        output, _ = sweep.communicate()
        equal = sweep.returncode == 0 and table(Path(alone)) == table(Path(disturbed))
        found = {"killed": killed, "told": output.count("done again"), "rows": len(table(Path(disturbed)))}
    print(json.dumps({**found, "equal": equal}))
    if not equal:
        print(output, file=sys.stderr)
    return 0 if equal and sum(killed.values()) == kills else 1


if __name__ == "__main__":
    sys.exit(main(*[int(word) for word in (*sys.argv[1:], *("10", "16", "40000")[len(sys.argv) - 1 :])]))
