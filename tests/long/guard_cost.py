"""What the guards of every step cost: `python -m tests.long.guard_cost`; one run with two clocks each.

Environments of others are looked at every step; ours are compiled and have no way to give NaN.
"""

from __future__ import annotations

import importlib
import tempfile
import time

from rl.core import cli, experiment, trainer

RUNS = {  # name: article, settings, steps
    "dqn, Acrobot": ("dqn", {"env_id": "Acrobot-v1", "num_envs": 1, "train_freq": 1}, 4_000),
    "a2c, Acrobot": ("a2c", {"env_id": "Acrobot-v1", "num_envs": 8}, 20_000),
    "dqn, CartPole": ("dqn", {"env_id": "CartPole-v1", "num_envs": 1, "train_freq": 1}, 4_000),  # ours: not looked at
}


def main() -> None:
    """Train briefly, and print the shares."""
    experiment.finish = lambda *_: None
    cli.use_threads(0)
    check = trainer.check_step
    for name, (article, given, steps) in RUNS.items():
        module, spent = importlib.import_module(f"rl.{article}"), [0.0, 0.0]

        def timed(*arguments, spent=spent):
            start = time.perf_counter()
            check(*arguments)
            spent[0] += time.perf_counter() - start

        def train(self, spent=spent):
            start = time.perf_counter()
            whole(self)
            spent[1] += time.perf_counter() - start

        whole, trainer.Trainer.train, trainer.check_step = trainer.Trainer.train, train, timed
        with tempfile.TemporaryDirectory() as out:
            changes = {"total_timesteps": steps, "eval_freq": 0, "eval_episodes": 1, "keep_going": True, "save_freq": 0, "out": out}
            settings = module.Settings(**given, **changes)
            agent = module.DeepQNetworkAgent if article == "dqn" else module.ActorCriticAgent
            experiment.train(article, settings, agent, module.METRICS)
        trainer.Trainer.train, trainer.check_step = whole, check
        print(f"{name:15} guards {spent[0] / steps * settings.num_envs * 1e6:.1f} us of {spent[1] / steps * settings.num_envs * 1e6:.0f} us a step, "
              f"{100 * spent[0] / spent[1]:.2f} %")


if __name__ == "__main__":
    main()
