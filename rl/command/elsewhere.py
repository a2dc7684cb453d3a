"""Defaults for environments other than an article's own, by what is observed, and the articles' short tests.

An agent's Settings hold the defaults of its article: on Catcher or CartPole-v0. What belongs to that game
(Catcher's lives, its time limit, its clipped rewards) is no default elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Elsewhere(NamedTuple):
    """The settings whose defaults differ from those of the class, by what is observed."""

    vectors: Mapping[str, Any] = {}  # vectors of numbers
    labels: Mapping[str, Any] = {}  # Discrete: one-hot vectors
    screens: Mapping[str, Any] = {}  # (H, W, C) of bytes


DQN_VECTORS: Mapping[str, Any] = {
    "max_episode_steps": 0,
    "num_envs": 1,
    "n_step": 1,
    "gamma": 0.99,
    "learning_rate": 1e-3,
    "batch_size": 128,
    "train_freq": 1,
    "target_update": 100,
    "exploration_steps": 20_000,
    "huber_delta": float("inf"),
    "clip_rewards": False,
    "life_loss_ends": False,
    "normalize_observations": True,
    "hidden": (64, 64),
    "total_timesteps": 200_000,
    "eval_freq": 2_000,
    "eval_episodes": 50,
}
DQN_LABELS: Mapping[str, Any] = {**DQN_VECTORS, "normalize_observations": False, "eval_episodes": 100}
DQN_SCREENS: Mapping[str, Any] = {
    "max_episode_steps": 0,
    "gamma": 0.99,
    "clip_rewards": False,
    "life_loss_ends": False,
    "total_timesteps": 1_000_000,
    "eval_freq": 10_000,
}
DQN = Elsewhere(DQN_VECTORS, DQN_LABELS, DQN_SCREENS)
DQN_TEST: dict[str, Any] = {
    "env_id": "CartPole-v0",
    "total_timesteps": 60_000,
    "max_episode_steps": 0,
    "num_envs": 1,
    "n_step": 1,
    "gamma": 0.99,
    "learning_rate": 1e-3,
    "train_freq": 1,
    "target_update": 100,
    "exploration_steps": 5_000,
    "huber_delta": float("inf"),
    "clip_rewards": False,
    "life_loss_ends": False,
    "eval_episodes": 100,
}

A2C_VECTORS: Mapping[str, Any] = {
    "max_episode_steps": 0,
    "num_envs": 8,
    "n_steps": 16,
    "learning_rate": 2e-3,
    "gamma": 0.99,
    "ent_coef": 0.0,
    "clip_rewards": False,
    "life_loss_ends": False,
    "normalize_rewards": True,
    "normalize_observations": True,
    "activation": "tanh",
    "total_timesteps": 300_000,
    "eval_episodes": 50,
}
A2C_LABELS: Mapping[str, Any] = {
    **A2C_VECTORS,
    "ent_coef": 0.01,
    "normalize_rewards": False,
    "normalize_observations": False,
    "activation": "relu",
    "eval_episodes": 100,
}
A2C_SCREENS: Mapping[str, Any] = {
    "max_episode_steps": 0,
    "gamma": 0.99,
    "clip_rewards": False,
    "life_loss_ends": False,
    "normalize_rewards": True,
    "total_timesteps": 1_000_000,
    "eval_freq": 10_000,
}
A2C = Elsewhere(A2C_VECTORS, A2C_LABELS, A2C_SCREENS)
A2C_TEST: dict[str, Any] = {
    "env_id": "CartPole-v0",
    "max_episode_steps": 0,
    "num_envs": 8,
    "n_steps": 16,
    "learning_rate": 2e-3,
    "gamma": 0.98,
    "clip_rewards": False,
    "life_loss_ends": False,
    "eval_episodes": 100,
}

POLICY_GRADIENT_VECTORS: Mapping[str, Any] = {
    "n_steps": 128,
    "gamma": 0.99,
    "learning_rate": 3e-3,
    "ent_coef": 0.0,
    "normalize_observations": True,
    "hidden": (64, 64),
    "activation": "tanh",
    "total_timesteps": 300_000,
    "eval_episodes": 50,
}
POLICY_GRADIENT_LABELS: Mapping[str, Any] = {
    **POLICY_GRADIENT_VECTORS,
    "learning_rate": 1e-2,
    "ent_coef": 0.01,
    "normalize_observations": False,
    "hidden": (64,),
    "activation": "relu",
    "eval_episodes": 100,
}
POLICY_GRADIENT_SCREENS: Mapping[str, Any] = {
    "gamma": 0.99,
    "learning_rate": 7e-4,
    "total_timesteps": 1_000_000,
    "eval_episodes": 20,
}
POLICY_GRADIENT = Elsewhere(POLICY_GRADIENT_VECTORS, POLICY_GRADIENT_LABELS, POLICY_GRADIENT_SCREENS)

VALUE_FUNCTION_VECTORS: Mapping[str, Any] = {
    "gamma": 0.99,
    "learning_rate": 1e-3,
    "buffer_size": 50_000,
    "batch_size": 64,
    "train_freq": 2,
    "hidden": (64, 64),
    "total_timesteps": 200_000,
    "eval_freq": 5_000,
    "eval_episodes": 50,
}
VALUE_FUNCTION_LABELS: Mapping[str, Any] = {
    **VALUE_FUNCTION_VECTORS,
    "num_envs": 4,
    "learning_rate": 3e-3,
    "batch_size": 128,
    "train_freq": 4,
    "normalize_observations": False,
    "hidden": (),
    "eval_freq": 10_000,
    "eval_episodes": 100,
}
VALUE_FUNCTION_SCREENS: Mapping[str, Any] = {
    "gamma": 0.99,
    "learning_rate": 5e-4,
    "train_freq": 4,
    "normalize_observations": False,
    "total_timesteps": 1_000_000,
    "eval_episodes": 20,
}
VALUE_FUNCTION = Elsewhere(VALUE_FUNCTION_VECTORS, VALUE_FUNCTION_LABELS, VALUE_FUNCTION_SCREENS)
