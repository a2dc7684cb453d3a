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

The listing's classes: ActorCriticAgent is here, SampleLayer is rl.core.policy.sample_actions, CatcherObserver
is rl.core.observer, ActorCriticTrainer became rl.training.trainer and rl.core.rollout.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from gymnasium import spaces

from nnlite import optimizers
from nnlite.arrays import Array
from rl.command import elsewhere
from rl.command.cli import exit_codes
from rl.command.errors import require
from rl.command.settings import AgentSettings, require_at_least, require_fraction, require_positive
from rl.core.agent import Agent, Metrics
from rl.core.experience import Experience
from rl.core.guards import check_loss
from rl.core.networks import MakeNetwork, make_network
from rl.core.policy import actor_critic_loss, entropies, explained_variance, probabilities, sample_actions
from rl.core.returns import generalized_advantages
from rl.core.rollout import Rollout
from rl.core.scaler import RewardScaler, make_scaler
from rl.core.seeding import Streams
from rl.training.algorithm import Algorithm
from rl.training.command import run


@dataclass(frozen=True)
class Settings(AgentSettings):
    """Settings of A2C. The defaults learn Catcher fastest."""

    env_id: str = "rl/Catcher-v0"
    """Gymnasium id; module:ID imports your own module first"""
    total_timesteps: int = 300_000
    """environment steps, over all parallel games"""
    max_episode_steps: int = 1_000
    """steps after which a game is truncated; 0 = the environment's own limit"""
    num_envs: int = 16
    """parallel games"""
    n_steps: int = 10
    """steps of each game between updates"""
    learning_rate: float = 7e-4
    """step size of Adam"""
    clipnorm: float = 5.0
    """longest gradient of one weight array (L2 norm); longer ones are scaled down"""
    gamma: float = 0.97
    """discount per step, 0 to 1"""
    gae_lambda: float = 0.95
    """lambda of the advantages: 0 = one step, 1 = whole returns"""
    ent_coef: float = 0.01
    """weight of the entropy in the loss: more keeps the policy exploring"""
    vf_coef: float = 0.5
    """weight of the critic's loss"""
    clip_rewards: bool = True
    """True = clip rewards to [-1, 1] before learning"""
    life_loss_ends: bool = True
    """True = a negative reward ends the return, but not the game"""
    normalize_rewards: bool = False
    """True = divide rewards by the running deviation of the discounted return"""
    normalize_observations: bool = False
    """True = standardise vectors by the mean and deviation of observations"""
    hidden: tuple[int, ...] = (64, 64)
    """units of the hidden layers, for vector observations"""
    activation: Literal["relu", "tanh"] = "relu"
    """activation of the hidden layers, for vector observations"""

    elsewhere = elsewhere.A2C

    def validate(self) -> None:
        super().validate()
        both = self.clip_rewards and self.normalize_rewards
        require(not both, "--clip-rewards and --normalize-rewards", "give one of them")
        require_at_least(self, "n_steps", 1)
        require_positive(self, "clipnorm")
        require_fraction(self, "gae_lambda")
        for name in ("ent_coef", "vf_coef"):
            require_at_least(self, name, 0)


TEST = elsewhere.A2C_TEST


class ActorCriticAgent(Agent):
    """The network, how it acts, and when and from what it learns."""

    STATE = ("optimizer", "rollout", "scaler", "reward_scaler", "rngs", "updates")
    measure = "probability"

    def __init__(
        self,
        observations: spaces.Space[Any],
        actions: spaces.Discrete,
        settings: Settings,
        rngs: Streams,
        own: MakeNetwork | None = None,
    ) -> None:
        self.settings = s = settings
        self.actions, self.rngs = int(actions.n), rngs
        outputs = self.actions + 1  # the actor's logits, then the critic's value
        self.model = make_network(observations, outputs, s.hidden, rngs.network, own, s.activation)
        self.optimizer = optimizers.Adam(s.learning_rate, clipnorm=s.clipnorm)
        self.optimizer.bind(self.model.params, self.model.grads, self.model.variables)
        self.scaler = make_scaler(s.normalize_observations, observations, self.model)
        self.reward_scaler = RewardScaler(s.num_envs, s.gamma)
        self.rollout = Rollout(s.n_steps, s.num_envs, observations)
        self.updates = 0

    def act(self, observations: Array) -> Array:
        """Draw actions from the policy."""
        output = self.model.predict(self.scaler(observations))
        return sample_actions(output, self.rngs.exploration, self.actions)

    def greedy(self, observations: Array) -> Array:
        """Choose the most probable actions."""
        return self.logits(observations).argmax(axis=1)

    def preferences(self, observations: Array) -> Array:
        """Return pi(a|s) of every action, (N, A)."""
        return probabilities(self.logits(observations))

    def logits(self, observations: Array) -> Array:
        """Return the actor's logits, (N, A)."""
        return self.model.predict(self.scaler(observations))[:, :-1]

    def values(self, observations: Array) -> Array:
        """Return the critic's V(s), (N,)."""
        return self.model.predict(self.scaler(observations))[:, -1]

    def observe(self, experience: Experience) -> Metrics | None:
        """Store a step of every game; make an update when the rollout is full."""
        s, e = self.settings, experience
        rewards = np.clip(e.rewards, -1, 1) if s.clip_rewards else e.rewards
        if s.normalize_rewards:
            rewards = self.reward_scaler(rewards, e.done)
        ends = e.terminated | (e.rewards < 0) if s.life_loss_ends else e.terminated
        self.rollout.add(e._replace(rewards=rewards, terminated=ends))
        self.steps += len(rewards)
        if not self.rollout.full:
            return None
        metrics = self.update(self.rollout)
        self.scaler.update(self.rollout.flat_observations())  # after the update: it saw what acted
        return metrics

    def truncate(self, observations: Array) -> None:
        self.rollout.truncate()

    def update(self, rollout: Rollout) -> Metrics:
        """Take one step of gradient descent on the B = T * E steps of a rollout."""
        s = self.settings
        actions = rollout.actions.ravel()  # (B,)
        self.outputs = output = self.model.forward(self.scaler(rollout.flat_observations()))  # (B, A + 1)
        values = np.ascontiguousarray(output[:, -1])  # (B,)
        advantages = self.advantages(rollout, values)  # (B,) constants from here on
        returns = advantages + values  # (B,)
        policy, entropy, value, doutput = actor_critic_loss(
            output, actions, advantages, returns, s.ent_coef, s.vf_coef
        )
        loss = policy + s.vf_coef * value - s.ent_coef * entropy
        check_loss(loss, advantages=advantages)
        explained = explained_variance(values, returns)
        self.model.backward(doutput)  # (B, A + 1)
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
        """Return how much better than the critic expected each action was, (T * E,).

        V stands for the rest of truncated returns.
        """
        s, r = self.settings, rollout
        values = values.reshape(r.rewards.shape)  # (T, E)
        following = r.next_values(values, self.values)  # (T, E)
        steps = r.rewards, values, following, r.terminated, r.done
        return generalized_advantages(*steps, s.gamma, s.gae_lambda).ravel()

    def distributions(self) -> dict[str, Array]:
        return {} if self.outputs is None else {"train/policy_entropy": entropies(self.outputs[:, :-1])}

    def status(self) -> Metrics:
        return {"train/n_updates": self.updates}


class A2C(Algorithm):
    """Advantage actor-critic: `A2C("CartPole-v1", seed=0).learn(20_000)`.

    The keywords are those of Settings.
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


SUMMARY = "A2C learns Catcher from the screen (article 8), until the game is solved."
EXAMPLES = (
    "python -m rl.a2c                     learn, then show the result",
    "python -m rl.a2c --play              watch the newest trained agent",
    "python -m rl.a2c --test              CartPole-v0 with a small dense network",
)


@exit_codes
def main(argv: list[str] | None = None) -> None:
    """python -m rl.a2c"""
    run(A2C, SUMMARY, EXAMPLES, {"test": TEST}, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
