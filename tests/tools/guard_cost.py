"""The cost of the guards of every step: `python -m tests.tools.guard_cost`; one run with two clocks each.

Environments of others are looked at every step; ours are compiled and have no way to give NaN.
"""

from __future__ import annotations

import importlib
import tempfile
import time
from unittest.mock import patch

from rl.command import threads
from rl.core import games
from rl.core.guards import check_step
from rl.training import train

RUNS = {  # name: article, settings, steps
    "dqn, Acrobot": ("dqn", {"env_id": "Acrobot-v1", "num_envs": 1, "train_freq": 1}, 4_000),
    "a2c, Acrobot": ("a2c", {"env_id": "Acrobot-v1", "num_envs": 8}, 20_000),
    "dqn, CartPole": (
        "dqn",
        {"env_id": "CartPole-v1", "num_envs": 1, "train_freq": 1},
        4_000,
    ),  # ours: not looked at
}


def share(article: str, given: dict[str, object], steps: int) -> tuple[float, float]:
    """(microseconds of the guards, microseconds) of a step of all games."""
    module = importlib.import_module(f"rl.{article}")
    algorithm = module.DQN if article == "dqn" else module.A2C
    guards = whole = 0.0
    check, play = check_step, games.Games.play

    def checked(*arguments):
        nonlocal guards
        start = time.perf_counter()
        check(*arguments)
        guards += time.perf_counter() - start

    def stepped(self, agent):
        nonlocal whole
        turns = play(self, agent)
        while True:
            start = time.perf_counter()
            played = next(turns)
            whole += time.perf_counter() - start
            yield played

    folder_for_runs = tempfile.TemporaryDirectory()
    with (
        patch.object(games, "check_step", checked),
        patch.object(games.Games, "play", stepped),
        folder_for_runs as out,
    ):
        short = {
            "total_timesteps": steps,
            "eval_freq": 0,
            "eval_episodes": 1,
            "keep_going": True,
            "save_freq": 0,
            "out": out,
        }
        settings = module.Settings(**given, **short)
        train.train(algorithm, settings)
    each = 1e6 * settings.num_envs / steps
    return guards * each, whole * each


def main() -> None:
    """Train briefly, and print the shares."""
    train.draw = lambda *_: None
    threads.use_threads(0)
    for name, run in RUNS.items():
        guards, whole = share(*run)
        print(f"{name:15} guards {guards:.1f} us of {whole:.0f} us a step, {100 * guards / whole:.2f} %")


if __name__ == "__main__":
    main()
