"""Stable-Baselines3 with our environments and logs: `python -m tests.crosschecks.sb3 [STEPS]`.

check_env on the three environments with warnings as errors, DQN and A2C of SB3 on rl/Catcher-v0, and
monitor.csv of a run of rl.a2c read by results_plotter.load_results and ts2xy.
"""

import sys
import tempfile
import warnings

import gymnasium
import numpy as np
from stable_baselines3 import A2C, DQN
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.results_plotter import X_EPISODES, X_TIMESTEPS, X_WALLTIME, load_results, ts2xy

import rl  # noqa: F401 - registers the environments
from rl.command import threads
from tests.rl.helpers import read_csv, train


def main() -> None:
    """Do all of it; an error is a failure."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 4_000
    for env_id in ("rl/Catcher-v0", "rl/Maze-v0", "rl/Bandit-v0"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check_env(gymnasium.make(env_id).unwrapped)
        print(f"{env_id}: check_env passes")
    catcher = {"id": "rl/Catcher-v0", "max_episode_steps": 200}
    replay = {"buffer_size": 2_000, "learning_starts": 500, "train_freq": 16}
    for kind, more in ((DQN, replay), (A2C, {"n_steps": 32})):
        model = kind("CnnPolicy", gymnasium.make(**catcher), seed=0, **more)
        before = [value.detach().clone() for value in model.policy.parameters()]
        model.learn(steps)
        pairs = zip(model.policy.parameters(), before)
        moved = max(float((value.detach() - old).abs().max()) for value, old in pairs)
        assert model.num_timesteps >= steps and 0 < moved < np.inf
        assert model.ep_info_buffer is not None and len(model.ep_info_buffer) > 0
        print(f"{kind.__name__}: {model.num_timesteps} steps on Catcher, weights moved by up to {moved:.3f}")
    read_our_logs()


def read_our_logs() -> None:
    """Train briefly, and compare what SB3 reads with what the file says."""
    threads.use_threads(1)
    with tempfile.TemporaryDirectory() as out:
        short = {"total_timesteps": 2_000, "num_envs": 2, "eval_episodes": 1}
        folder = train("a2c", env_id="CartPole-v0", out=out, **short).folder
        results, rows = load_results(str(folder)), read_csv(folder / "monitor.csv")
    assert len(results) == len(rows) > 10
    assert results["l"].tolist() == [int(row["l"]) for row in rows]
    for axis in (X_TIMESTEPS, X_EPISODES, X_WALLTIME):
        x, y = ts2xy(results, axis)
        assert y.tolist() == [float(row["r"]) for row in rows] and (np.diff(x) >= 0).all()
    print(f"load_results: {len(results)} episodes of rl.a2c, {results['l'].sum()} steps")


if __name__ == "__main__":
    main()
