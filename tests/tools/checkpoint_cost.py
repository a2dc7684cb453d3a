"""The cost of checkpoints: `python -m tests.tools.checkpoint_cost [STEPS] [SAVE_FREQ]`, DQN on Catcher with
its default settings.

One run, three clocks: the seconds that training stands still for a checkpoint, the processor seconds of the
thread that writes it, and those of the whole run. The replay fills with real screens; evaluations are left
out.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from rl import dqn
from rl.command import threads
from rl.runs.checkpoint import Checkpoints
from rl.training import train as train_module
from rl.training.trainer import Trainer


def main() -> None:
    """Train, and print the shares."""
    steps, every = (
        (int(word) for word in (*sys.argv[1:], "20000", "5000")[:2])
        if len(sys.argv) < 3
        else map(int, sys.argv[1:3])
    )
    standing: list[float] = []
    writing: list[float] = []
    whole: list[float] = []
    save, write, whole_run = Trainer.save, Checkpoints._write, Trainer.train

    def timed(function, clock, into):
        def call(*arguments):
            start = clock()
            try:
                return function(*arguments)
            finally:
                into.append(clock() - start)

        return call

    Trainer.save = timed(save, time.perf_counter, standing)
    Checkpoints._write = timed(write, time.thread_time, writing)
    both = [time.perf_counter, time.process_time]
    walls: list[float] = []
    Trainer.train = timed(timed(whole_run, both[1], whole), both[0], walls)
    train_module.draw = lambda *_: None
    threads.use_threads(0)
    with tempfile.TemporaryDirectory() as out:
        settings = dqn.Settings(
            total_timesteps=steps, save_freq=every, eval_freq=0, eval_episodes=1, keep_going=True, out=out
        )
        result = train_module.train(dqn.DQN, settings)
        sizes = sum(path.stat().st_size for path in Path(result.folder).glob("checkpoint*"))
    print(
        f"{steps:,} steps, {len(standing)} checkpoints (one every {every:,} steps, one at the end), "
        f"{sizes / 1e6:.1f} MB on disk"
    )
    print(
        f"training stands still  {sum(standing):7.2f} s of {walls[0]:7.1f} s   "
        f"{100 * sum(standing) / walls[0]:.2f} %"
    )
    print(
        f"writing thread         {sum(writing):7.2f} s of {whole[0]:7.1f} processor seconds   "
        f"{100 * sum(writing) / whole[0]:.2f} %"
    )


if __name__ == "__main__":
    main()
