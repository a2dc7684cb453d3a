"""A2C learns Catcher from the screen (article 8).

Question   Does a policy learn better with a critic that says what to expect of every state?
Method     Advantage actor-critic. One network with the DQN trunk ends in Dense(actions + 1): the first
           columns are the actor's logits, the last one is the critic's V(s). N games are played for T steps,
           then both learn from these steps once.

               delta_t = r_t + gamma V(s_{t+1}) - V(s_t)
               A_t = delta_t + gamma lambda A_{t+1}           generalised advantages; 0 beyond a game's end
               loss = -mean A log pi(a|s) - ent_coef mean H(pi) + vf_coef mean (V(s) - (A + V)_constant)^2

           A is a constant in the actor's loss; the critic learns from its own loss only.
Source     Mnih et al. 2016 (A3C; A2C is its form without threads); Schulman et al. 2016 (advantages).
Expected   Every seed solves Catcher in about a minute on two cores: docs/results/a2c.md.

`diff rl/policy_gradient.py rl/a2c.py` shows what a critic changes.

Where the default differs from the listing, and why
- Shapes are checked: the listing's rewards (B,) less values (B, 1) make a (B, B) error, blind to the state.
- No gradient flows through the advantage, and its sign is kept. The listing's softplus(advantage) is never
  negative, so no action was ever made less likely.
- Every step is used once, by the policy that played it. The listing draws from the last 50,000 steps, played
  by older policies.
- The critic bootstraps: V stands for the rest of the return after T steps and after a time limit, and nothing
  after an end.
- Many games at once, steps of 7e-4 instead of 7e-5, entropy weight 0.01 instead of 0.1, gamma 0.97.
- Clipped rewards, lost lives, frames as bytes, cleared stacks and the saved model: as in rl.dqn.
- epsilon is gone: drawing from pi is the exploration.

The listing's classes: ActorCriticAgent is here (ActorCriticAgentTest is --test), SampleLayer is
rl.core.policy.sample_actions, CatcherObserver is rl.core.observer, ActorCriticTrainer became
rl.training.trainer and rl.core.rollout.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from nnlite import optimizers
from nnlite.arrays import Array
from rl.command.cli import exit_codes
from rl.command.errors import require
from rl.command.settings import AgentSettings, format_flag, require_at_least, require_positive
from rl.core.agent import Agent, Metrics
from rl.core.experience import Experience
from rl.core.guards import check_loss
from rl.core.networks import MakeNetwork, make_network
from rl.core.policy import actor_critic_loss, entropies, explained_variance, probabilities, sample_actions
from rl.core.returns import generalized_advantages
from rl.core.rollout import Rollout
from rl.core.seeding import Streams
from rl.training.algorithm import Algorithm
from rl.training.command import run


@dataclass
class Settings(AgentSettings):
    """Settings of A2C; the defaults are those that learn Catcher soonest, `vectors` those for vectors."""

    env_id: str = "rl/Catcher-v0"
    """Gymnasium id; module:ID imports your own module first"""
    total_timesteps: int = 300_000
    """environment steps, over all parallel games"""
    max_episode_steps: int = 1_000
    """cut a game after so many steps; 0 = the environment's own limit"""
    num_envs: int = 16
    """parallel games"""
    n_steps: int = 10
    """steps of each game between updates"""
    learning_rate: float = 7e-4
    """Adam's step size"""
    clipnorm: float = 5.0
    """longest gradient of one weight array"""
    gamma: float = 0.97
    """discount a step, 0 to 1"""
    gae_lambda: float = 0.95
    """0 = one-step advantages, 1 = whole returns"""
    ent_coef: float = 0.01
    """weight of the entropy: keeps the policy trying"""
    vf_coef: float = 0.5
    """weight of the critic's loss"""
    clip_rewards: bool = True
    """learn from rewards clipped to [-1, 1]"""
    life_loss_ends: bool = True
    """a negative reward ends the return, not the game"""
    hidden: tuple[int, ...] = (64, 64)
    """hidden units of the dense network (vector observations)"""

    vectors = {
        "max_episode_steps": 0,
        "num_envs": 8,
        "n_steps": 16,
        "learning_rate": 2e-3,
        "gamma": 0.98,
        "clip_rewards": False,
        "life_loss_ends": False,
    }

    def validate(self) -> None:
        super().validate()
        require_at_least(self, "n_steps", 1)
        require_positive(self, "clipnorm")
        require(0 <= self.gae_lambda <= 1, f"--gae-lambda is {self.gae_lambda}", "give a number from 0 to 1")
        for name in ("ent_coef", "vf_coef"):
            require(getattr(self, name) >= 0, f"{format_flag(name)} is {getattr(self, name)}", "give a number >= 0")


TEST = {**Settings.vectors, "env_id": "CartPole-v0", "eval_episodes": 100}


class ActorCriticAgent(Agent):
    """The network, how it acts, when and what it learns."""

    STATE = ("optimizer", "rollout", "rngs", "updates")
    measure = "probability"

    def __init__(
        self,
        observations: spaces.Space[Any],
        actions: spaces.Discrete,
        settings: Settings,
        rngs: Streams,
        own: MakeNetwork | None = None,
    ) -> None:
        self.settings, self.actions = settings, int(actions.n)
        self.model = make_network(
            observations, self.actions + 1, settings.hidden, rngs.network, own
        )  # the actor's logits, the critic's value
        self.optimizer = optimizers.Adam(settings.learning_rate, clipnorm=settings.clipnorm)
        self.optimizer.bind(self.model.params, self.model.grads, self.model.variables)
        self.rollout = Rollout(settings.n_steps, settings.num_envs, observations)
        self.rngs = rngs
        self.updates = 0

    def act(self, observations: Array) -> Array:
        """Actions drawn from the policy."""
        return sample_actions(self.model.predict(observations), self.rngs.exploration, self.actions)

    def greedy(self, observations: Array) -> Array:
        """The likeliest actions."""
        return self.logits(observations).argmax(axis=1)

    def preferences(self, observations: Array) -> Array:
        """pi(a|s) for every action, (N, A)."""
        return probabilities(self.logits(observations))

    def logits(self, observations: Array) -> Array:
        """What the actor says, (N, A); softmax makes probabilities of it."""
        return self.model.predict(observations)[:, :-1]

    def values(self, observations: Array) -> Array:
        """V(s), (N,): what the critic expects."""
        return self.model.predict(observations)[:, -1]

    def observe(self, experience: Experience) -> Metrics | None:
        """Store the step of every game; one update every `n_steps` steps of all games."""
        s = self.settings
        rewards = np.clip(experience.rewards, -1, 1) if s.clip_rewards else experience.rewards
        ends = experience.terminated | (experience.rewards < 0) if s.life_loss_ends else experience.terminated
        self.rollout.add(experience._replace(rewards=rewards, terminated=ends))
        self.steps += len(rewards)
        return self.update(self.rollout) if self.rollout.full else None

    def truncate(self, observations: Array) -> None:
        self.rollout.truncate()

    def update(self, rollout: Rollout) -> Metrics:
        """One step of gradient descent on the rollout, which is then forgotten."""
        s = self.settings
        self.outputs = output = self.model.forward(rollout.flat_observations())  # (T * E, A + 1)
        values = np.ascontiguousarray(output[:, -1])  # (T * E,)
        advantages = self.advantages(rollout, values)  # (T * E,) constants from here on
        returns = advantages + values
        policy, entropy, value, doutput = actor_critic_loss(
            output, rollout.actions.ravel(), advantages, returns, s.ent_coef, s.vf_coef
        )
        loss = policy + s.vf_coef * value - s.ent_coef * entropy
        check_loss(loss, advantages=advantages)
        explained = explained_variance(values, returns)
        self.model.backward(doutput)
        self.optimizer.step()
        self.updates += 1
        return {
            "train/loss": loss,
            "train/policy_loss": policy,
            "train/entropy": entropy,
            "train/value_loss": value,
            "train/explained_variance": explained,
        }

    def advantages(self, rollout: Rollout, values: Array) -> Array:
        """How much better than the critic expected each action turned out, (T * E,); a return that is cut
        off goes on with V.
        """
        s, r = self.settings, rollout
        values = values.reshape(r.rewards.shape)  # (T, E)
        beyond = r.next_values(values, self.values)
        return generalized_advantages(
            r.rewards, values, beyond, r.terminated, r.done, s.gamma, s.gae_lambda
        ).ravel()

    def distributions(self) -> dict[str, Array]:
        return {} if self.outputs is None else {"train/policy_entropy": entropies(self.outputs[:, :-1])}

    def status(self) -> Metrics:
        return {"train/n_updates": self.updates}


class A2C(Algorithm):
    """Advantage actor-critic: `A2C("CartPole-v1", seed=0).learn(20_000)`; keywords are the names of
    Settings.
    """

    article = "a2c"
    settings_class = Settings
    agent_class = ActorCriticAgent
    metrics = (
        "train/loss",
        "train/policy_loss",
        "train/entropy",
        "train/value_loss",
        "train/explained_variance",
        "train/n_updates",
    )


SUMMARY = "A2C learns Catcher from the screen (article 8). It stops by itself when the game is solved."
EXAMPLES = (
    "python -m rl.a2c                     learn, show what was reached",
    "python -m rl.a2c --play              watch the newest trained agent",
    "python -m rl.a2c --test              CartPole-v0 with a small dense network",
)


@exit_codes
def main() -> None:
    """python -m rl.a2c"""
    run(A2C, SUMMARY, EXAMPLES, {"test": TEST})


if __name__ == "__main__":
    sys.exit(main())
