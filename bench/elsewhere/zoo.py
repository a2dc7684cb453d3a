"""The zoo's settings of Stable-Baselines3's DQN and A2C.

Source     https://github.com/DLR-RM/rl-baselines3-zoo, hyperparams/dqn.yml at commit ce95481 and
           hyperparams/a2c.yml at commit c6c209e, read on 27 November 2026
Elsewhere  where the zoo has no entry, Stable-Baselines3's defaults and BUDGETS
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Settings = dict[str, Any]
NOT_ARGUMENTS = ("n_envs", "n_timesteps", "normalize")  # of the classes; the zoo's own words
BUDGETS = {"DQN": 100_000, "A2C": 300_000}
WIDE = {"net_arch": [256, 256]}


def falling(start: float) -> Callable[[float], float]:
    """The zoo's lin_START: from START at the beginning to 0 at the end of the budget."""
    return lambda left: left * start


ACROBOT_AND_LANDER: Settings = {
    "n_timesteps": 100_000,
    "learning_rate": 6.3e-4,
    "batch_size": 128,
    "buffer_size": 50_000,
    "learning_starts": 0,
    "gamma": 0.99,
    "target_update_interval": 250,
    "train_freq": 4,
    "gradient_steps": -1,
    "exploration_fraction": 0.12,
    "exploration_final_eps": 0.1,
    "policy_kwargs": WIDE,
}
ZOO: dict[tuple[str, str], Settings] = {
    ("DQN", "CartPole-v1"): {
        "n_timesteps": 50_000,
        "learning_rate": 2.3e-3,
        "batch_size": 64,
        "buffer_size": 100_000,
        "learning_starts": 1_000,
        "gamma": 0.99,
        "target_update_interval": 10,
        "train_freq": 256,
        "gradient_steps": 128,
        "exploration_fraction": 0.16,
        "exploration_final_eps": 0.04,
        "policy_kwargs": WIDE,
    },
    ("DQN", "MountainCar-v0"): {
        "n_timesteps": 120_000,
        "learning_rate": 4e-3,
        "batch_size": 128,
        "buffer_size": 10_000,
        "learning_starts": 1_000,
        "gamma": 0.98,
        "target_update_interval": 600,
        "train_freq": 16,
        "gradient_steps": 8,
        "exploration_fraction": 0.2,
        "exploration_final_eps": 0.07,
        "policy_kwargs": WIDE,
    },
    ("DQN", "LunarLander-v3"): ACROBOT_AND_LANDER,  # the zoo's entry is LunarLander-v2
    ("DQN", "Acrobot-v1"): ACROBOT_AND_LANDER,
    ("A2C", "CartPole-v1"): {"n_timesteps": 500_000, "n_envs": 8, "ent_coef": 0.0},
    ("A2C", "LunarLander-v3"): {  # the zoo's entry is LunarLander-v2
        "n_timesteps": 200_000,
        "n_envs": 8,
        "gamma": 0.995,
        "n_steps": 5,
        "learning_rate": falling(0.00083),
        "ent_coef": 0.00001,
    },
    ("A2C", "MountainCar-v0"): {"n_timesteps": 1_000_000, "n_envs": 16, "normalize": True, "ent_coef": 0.0},
    ("A2C", "Acrobot-v1"): {"n_timesteps": 500_000, "n_envs": 16, "normalize": True, "ent_coef": 0.0},
    # the default buffer of a million screens needs 24 GB
    ("DQN", "Catcher"): {"n_timesteps": 100_000, "policy": "CnnPolicy", "buffer_size": 50_000},
}


def settings_of(agent: str, env: str) -> Settings:
    """Return the settings of a run: arguments of the class, and NOT_ARGUMENTS."""
    return {"policy": "MlpPolicy", "n_timesteps": BUDGETS[agent], **ZOO.get((agent, env), {})}
