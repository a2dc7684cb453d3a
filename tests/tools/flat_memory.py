"""Does a long run grow? `python -m tests.tools.flat_memory [STEPS]`; 1,000,000 steps each by default, in one
process (Linux).

    CartPole  rl.dqn's small network, learning at every fourth step, checkpoints and logs as always
    Catcher   random play from the screen into a replay that is full after 50,000 steps

Every hundredth of the run the resident size and the number of open files are noted; the first fifth of a run,
in which buffers and the replay fill, is left out. Told is the growth per 100,000 steps: the slope of a line
through the rest.
"""

from __future__ import annotations

import os
import sys
import tempfile
from unittest.mock import patch

import numpy as np

from rl import dqn
from rl.command import threads
from rl.training import train, trainer

RUNS = {
    "CartPole": {**dqn.TEST, "train_freq": 4},
    "Catcher": {"learning_starts": 10**9, "exploration_steps": 10**9},
}
PAGE = os.sysconf("SC_PAGE_SIZE")


def noted(name: str, steps: int) -> np.ndarray:
    """Rows (step, resident bytes, open files) of one run."""
    rows: list[tuple[int, int, int]] = []
    log = trainer.Trainer._log

    def noting(self):
        log(self)
        with open("/proc/self/statm", encoding="ascii") as file:
            resident = int(file.read().split()[1]) * PAGE
        rows.append((self.agent.steps, resident, len(os.listdir("/proc/self/fd"))))

    held = tempfile.TemporaryDirectory()
    with (
        held as out,
        patch.object(trainer.Trainer, "_log", noting),
        patch.object(train, "draw", lambda *_: None),
    ):
        given = {
            **RUNS[name],
            "total_timesteps": steps,
            "eval_episodes": 1,
            "eval_freq": 0,
            "keep_going": True,
            "out": out,
        }
        train.train(dqn.DQN, dqn.Settings(**given))
    return np.array(rows)


def main() -> None:
    """Run both, and print what they grew by."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    threads.use_threads(0)
    for name in RUNS:
        rows = noted(name, steps)
        late = rows[rows[:, 0] >= steps // 5]
        late = late[:-1]  # the last row is written after the closing evaluation
        slope = np.polyfit(late[:, 0] / 1e5, late[:, 1] / 1e6, 1)[0]
        files = f"{late[:, 2].min()} to {late[:, 2].max()} open files"
        size = (
            f"resident {late[0, 1] / 1e6:.1f} MB after {late[0, 0]:,} steps, {late[-1, 1] / 1e6:.1f} "
            f"MB after {late[-1, 0]:,}"
        )
        print(f"{name:9} {size}; {slope:+.3f} MB per 100,000 steps; {files}", flush=True)


if __name__ == "__main__":
    main()
