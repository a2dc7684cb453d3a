"""The cost of what protects a run, each measured within one run:

    python -m tests.tools.costs checkpoints [STEPS [SAVE_FREQ]]   DQN on Catcher with its default settings
    python -m tests.tools.costs guards                            the look at every step of foreign games
    python -m tests.tools.costs memory [STEPS]                    does a long run grow? (Linux)

checkpoints  seconds that training stands still, processor seconds of the thread that writes and of the run
memory       resident size and open files at every hundredth of 1,000,000 steps of CartPole, learning, and of
             Catcher, random play into a replay that is full after 50,000 steps. The growth is the slope of a
             line; the first fifth is left out, in which buffers and the replay fill.
"""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from rl import dqn
from rl.command import threads
from rl.core import games
from rl.runs.checkpoint import Checkpoints
from rl.training import train as training
from rl.training.trainer import Trainer
from tests.rl.helpers import train

GUARDED: dict[str, dict[str, Any]] = {  # the environment of the last is ours: nobody looks at its steps
    "dqn Acrobot": {"total_timesteps": 4_000, "env_id": "Acrobot-v1", "num_envs": 1, "train_freq": 1},
    "a2c Acrobot": {"total_timesteps": 20_000, "env_id": "Acrobot-v1", "num_envs": 8},
    "dqn CartPole": {"total_timesteps": 4_000, "env_id": "CartPole-v1", "num_envs": 1, "train_freq": 1},
}
LONG = {
    "CartPole": {**dqn.TEST, "train_freq": 4},
    "Catcher": {"learning_starts": 10**9, "exploration_steps": 10**9},
}


def run(name: str, **settings: Any) -> int:
    """Train without evaluations and pictures; returns the bytes of the checkpoint."""
    with tempfile.TemporaryDirectory() as out:
        short = {"eval_freq": 0, "eval_episodes": 1, "keep_going": True, "save_freq": 0, "out": out}
        folder = train(name, **{**short, **settings}).folder
        return sum(path.stat().st_size for path in Path(folder).glob("checkpoint*"))


@contextlib.contextmanager
def timed(owner: Any, name: str, clock: Callable[[], float] = time.perf_counter) -> Iterator[list[float]]:
    """Give the list of the seconds that the calls of owner.name take."""
    seconds, function = [], getattr(owner, name)

    def call(*arguments):
        start = clock()
        try:
            return function(*arguments)
        finally:
            seconds.append(clock() - start)

    with patch.object(owner, name, call):
        yield seconds


def checkpoints(steps: int = 20_000, every: int = 5_000) -> None:
    with (
        timed(Trainer, "save") as standing,
        timed(Checkpoints, "_write", time.thread_time) as writing,
        timed(Trainer, "train") as walls,
        timed(Trainer, "train", time.process_time) as whole,
    ):
        size = run("dqn", total_timesteps=steps, save_freq=every)
    print(f"{steps:,} steps, {len(standing)} checkpoints, {size / 1e6:.1f} MB on disk")
    for what, part, (total,), unit in (
        ("training stands still", sum(standing), walls, "s"),
        ("writing thread", sum(writing), whole, "processor seconds"),
    ):
        print(f"{what:22} {part:7.2f} s of {total:7.1f} {unit}  {100 * part / total:.2f} %")


def guards() -> None:
    play = games.Games.play

    def clocked(self, agent):
        turns = play(self, agent)
        while True:
            start = time.perf_counter()
            played = next(turns)
            turn_seconds.append(time.perf_counter() - start)
            yield played

    for name, settings in GUARDED.items():
        turn_seconds: list[float] = []
        with timed(games, "check_step") as looks, patch.object(games.Games, "play", clocked):
            run(name.split()[0], **settings)
        part, whole = (1e6 * sum(seconds) / len(turn_seconds) for seconds in (looks, turn_seconds))
        print(f"{name:12} guards {part:.1f} us of {whole:.0f} us a step, {100 * part / whole:.2f} %")


def memory(steps: int = 1_000_000) -> None:
    page, log = os.sysconf("SC_PAGE_SIZE"), Trainer._log

    def noting(self):
        log(self)
        resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * page
        noted.append((self.agent.steps, resident / 1e6, len(os.listdir("/proc/self/fd"))))

    for name, settings in LONG.items():
        noted: list[tuple[int, float, int]] = []
        with patch.object(Trainer, "_log", noting):
            run("dqn", **{**settings, "total_timesteps": steps, "save_freq": dqn.Settings().save_freq})
        # the last row is written after the closing evaluation
        at, size, files = np.array([row for row in noted if row[0] >= steps // 5][:-1]).T
        slope = np.polyfit(at / 1e5, size, 1)[0]
        grown = f"{size[0]:.1f} MB after {at[0]:,.0f} steps, {size[-1]:.1f} MB after {at[-1]:,.0f}"
        print(f"{name:9} {grown}; {slope:+.3f} MB per 100,000 steps; {min(files)} to {max(files)} open files")


if __name__ == "__main__":
    training.draw = lambda *_: None
    threads.use_threads(0)
    what = {"checkpoints": checkpoints, "guards": guards, "memory": memory}[sys.argv[1]]
    what(*(int(word) for word in sys.argv[2:]))
