"""The parts that several of our sides share: threads, and agents of the benchmark's sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from bench import workloads
from nnlite import optimizers
from rl import a2c, dqn
from rl.command.threads import use_threads
from rl.core.experience import Experience
from rl.core.rollout import Rollout
from rl.core.seeding import streams

__all__ = ["actor_critic", "experiences", "fill_rollout", "q_agent", "space_of", "use_threads"]


def space_of(shape: tuple[int, ...]) -> spaces.Box:
    """Make the space of observations of this shape: bytes for screens, else floats."""
    return (
        spaces.Box(0, 255, shape, np.uint8)
        if len(shape) == 3
        else spaces.Box(-np.inf, np.inf, shape, np.float32)
    )


def q_agent(
    shape: tuple[int, ...], actions: int, hidden: tuple[int, ...] = (64,), **settings: Any
) -> dqn.DeepQNetworkAgent:
    """Make rl.dqn's agent as plain DQN without target updates.

    Its Adam clips the whole gradient by norm, as the peers do; that of rl.dqn does not clip.
    """
    chosen: dict[str, Any] = {
        "double": False,
        "gamma": workloads.GAMMA,
        "huber_delta": workloads.HUBER_DELTA,
        "hidden": hidden,
        "n_step": 1,
        "num_envs": 1,
        "buffer_size": 1_000,
        "target_update": 10**9,
        "learning_starts": 0,
        "final_epsilon": 0.0,
        "initial_epsilon": 0.0,
    } | settings
    agent = dqn.DeepQNetworkAgent(
        space_of(shape), spaces.Discrete(actions), dqn.Settings(**chosen), streams(0)
    )
    agent.optimizer = optimizers.Adam(workloads.LEARNING_RATE, global_clipnorm=workloads.CLIP_NORM).bind(
        agent.model.params, agent.model.grads
    )
    return agent


def actor_critic(shape: tuple[int, ...], actions: int) -> a2c.ActorCriticAgent:
    """Make rl.a2c's agent with the benchmark's rollout."""
    settings = a2c.Settings(
        n_steps=workloads.A2C_STEPS,
        num_envs=workloads.A2C_GAMES,
        gamma=workloads.GAMMA,
        gae_lambda=workloads.A2C_LAMBDA,
        ent_coef=workloads.ENTROPY_WEIGHT,
        vf_coef=workloads.VALUE_WEIGHT,
        clipnorm=workloads.A2C_CLIP,
        learning_rate=workloads.LEARNING_RATE,
        clip_rewards=False,
        life_loss_ends=False,
    )
    return a2c.ActorCriticAgent(space_of(shape), spaces.Discrete(actions), settings, streams(0))


def experiences(play: workloads.Play) -> list[Experience]:
    """Convert the play to steps as an agent observes them; they fill the rollout of `actor_critic`."""
    following = [*play.observations[1:], play.following]
    never = np.zeros(workloads.A2C_GAMES, bool)
    return [
        Experience(now, actions, rewards, then, done, never)
        for now, actions, rewards, done, then in zip(
            play.observations, play.actions, play.rewards, play.done, following
        )
    ]


def fill_rollout(agent: a2c.ActorCriticAgent, play: workloads.Play) -> Rollout:
    """Fill the agent's rollout with this play."""
    for experience in experiences(play):
        agent.rollout.add(experience)
    return agent.rollout
