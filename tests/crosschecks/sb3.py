"""Our environments in the hands of Stable-Baselines3, and our logs in those of its loader: `python -m
tests.crosschecks.sb3 [STEPS]`.

check_env on the three environments with warnings as errors, DQN and A2C of SB3 on rl/Catcher-v0, and
monitor.csv of a run of rl.a2c read by results_plotter.load_results and ts2xy.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import warnings

import gymnasium
import numpy as np
from stable_baselines3 import A2C, DQN
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.results_plotter import X_EPISODES, X_TIMESTEPS, X_WALLTIME, load_results, ts2xy

import rl  # noqa: F401 - registers the environments
from rl import a2c
from rl.command import threads
from rl.training import train


def main() -> None:
    """Do all of it; an error is a failure."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 4_000
    for env_id in ("rl/Catcher-v0", "rl/Maze-v0", "rl/Bandit-v0"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check_env(gymnasium.make(env_id).unwrapped)
        print(f"{env_id}: check_env passes")
    catcher = {"id": "rl/Catcher-v0", "max_episode_steps": 200}
    for model in (
        DQN(
            "CnnPolicy",
            gymnasium.make(**catcher),
            buffer_size=2_000,
            learning_starts=500,
            train_freq=16,
            seed=0,
        ),
        A2C("CnnPolicy", gymnasium.make(**catcher), n_steps=32, seed=0),
    ):
        before = [value.detach().clone() for value in model.policy.parameters()]
        model.learn(steps)
        moved = max(
            float((value.detach() - old).abs().max()) for value, old in zip(model.policy.parameters(), before)
        )
        assert model.num_timesteps >= steps and 0 < moved < np.inf
        assert model.ep_info_buffer is not None and len(model.ep_info_buffer) > 0
        print(
            f"{type(model).__name__}: {model.num_timesteps} steps on rl/Catcher-v0, weights moved by up "
            f"to {moved:.3f}"
        )
    read_our_logs()


def read_our_logs() -> None:
    """Train briefly, and compare what SB3 reads with what the file says."""
    threads.use_threads(1)
    with tempfile.TemporaryDirectory() as out:
        settings = a2c.Settings(
            env_id="CartPole-v0", total_timesteps=2_000, num_envs=2, eval_episodes=1, out=out
        )
        folder = train.train(a2c.A2C, settings).folder
        results = load_results(str(folder))
        with open(folder / "monitor.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    assert len(results) == len(rows) > 10
    assert results["l"].tolist() == [int(row["l"]) for row in rows]
    for axis in (X_TIMESTEPS, X_EPISODES, X_WALLTIME):
        x, y = ts2xy(results, axis)
        assert y.tolist() == [float(row["r"]) for row in rows] and (np.diff(x) >= 0).all()
    print(f"load_results: {len(results)} episodes of rl.a2c, {results['l'].sum()} steps")


if __name__ == "__main__":
    main()
