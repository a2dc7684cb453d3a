"""A policy learns to balance a pole by doing more of what went well (article 7).

Question   Can an agent learn what to do without learning what anything is worth?
Method     REINFORCE with a baseline. A 10-10-softmax network gives pi(a|s). N games are played for T steps
           with actions drawn from it. Then every action is made more or less likely, by how its return
           compares with the usual one.

               G_t = r_t + gamma G_{t+1}                      the discounted return
               A_t = (G_t - b) / spread                       b, spread: running mean and deviation of returns
               loss = -mean A log pi(a|s) - ent_coef mean H(pi)

           Each step is learned from once, by the policy that played it.
Source     Williams 1992 (REINFORCE, its baseline); Sutton & Barto 2018, ch. 13.4.
Expected   Every seed solves CartPole in less than a second: docs/results/policy_gradient.md.

`diff rl/policy_gradient.py rl/a2c.py` is the next article: there the constant b becomes a critic V(s).

Where the default differs from the listing, and why
- Every step is used once, by the policy that played it. The listing draws batches from the last 1,024 steps,
  played by older policies, for which the formula does not hold.
- Returns are compared with their mean. The listing's are all positive, so that every action is reinforced and
  only the amount differs: hence the article's remark that learning takes long.
- Where a time limit or the rollout cuts a return off, b stands for the rest; the listing takes a time limit
  for an end.
- gamma 0.95 instead of 0.9; eight games at once; Adam at 1e-2 (the listing: 1e-3 on one game); a little
  entropy, so that the policy does not settle before it has tried every action.
- The network ends in logits: log softmax is taken from them, exact where the listing clips probabilities at
  1e-10.
- Observations are taken as they are: CartPole's numbers are of one size already.
- epsilon is gone: drawing from pi is the exploration.

The listing's classes: PolicyGradientAgent is here, PolicyGradientTrainer became rl.training.trainer and
rl.core.rollout.
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
from rl.command.settings import AgentSettings, require_at_least, require_fraction, require_positive
from rl.core.agent import Agent, Metrics
from rl.core.experience import Experience
from rl.core.guards import check_loss
from rl.core.networks import MakeNetwork, make_network
from rl.core.policy import entropies, policy_loss, probabilities, sample_actions
from rl.core.returns import discounted_returns
from rl.core.rollout import Rollout
from rl.core.scaler import make_scaler
from rl.core.seeding import Streams
from rl.training.algorithm import Algorithm
from rl.training.command import run

SMALLEST_SPREAD = 1e-6  # for returns that are all equal: no division by 0


@dataclass(frozen=True)
class Settings(AgentSettings):
    """Settings of the policy gradient. The defaults learn CartPole fastest."""

    total_timesteps: int = 200_000
    """environment steps, over all parallel games"""
    num_envs: int = 8
    """parallel games"""
    n_steps: int = 32
    """steps of each game between updates"""
    learning_rate: float = 1e-2
    """step size of Adam"""
    clipnorm: float = 1.0
    """longest gradient of one weight array (L2 norm); longer ones are scaled down"""
    gamma: float = 0.95
    """discount per step, 0 to 1"""
    ent_coef: float = 0.01
    """weight of the entropy in the loss: more keeps the policy exploring"""
    baseline_rate: float = 0.1
    """share of each rollout in the running baseline, above 0, at most 1"""
    normalize_observations: bool = False
    """True = standardise vectors by the mean and deviation of observations"""
    hidden: tuple[int, ...] = (10, 10)
    """units of the hidden layers, for vector observations"""
    activation: Literal["relu", "tanh"] = "relu"
    """activation of the hidden layers, for vector observations"""
    eval_freq: int = 5_000
    """environment steps between evaluations; 0 = only at the end"""
    eval_episodes: int = 100
    """greedy games per evaluation"""

    elsewhere = elsewhere.POLICY_GRADIENT

    def validate(self) -> None:
        super().validate()
        require_at_least(self, "n_steps", 1)
        require_positive(self, "clipnorm")
        require_positive(self, "baseline_rate")
        require_fraction(self, "baseline_rate")
        require_at_least(self, "ent_coef", 0)


class PolicyGradientAgent(Agent):
    """The network, how it acts, and when and from what it learns."""

    STATE = ("optimizer", "rollout", "scaler", "rngs", "updates", "baseline", "spread")
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
        outputs = self.actions  # the actor's logits
        self.model = make_network(observations, outputs, s.hidden, rngs.network, own, s.activation)
        self.optimizer = optimizers.Adam(s.learning_rate, clipnorm=s.clipnorm)
        self.optimizer.bind(self.model.params, self.model.grads, self.model.variables)
        self.scaler = make_scaler(s.normalize_observations, observations, self.model)
        self.rollout = Rollout(s.n_steps, s.num_envs, observations)
        self.updates = 0
        self.baseline, self.spread = 0.0, 1.0  # mean and deviation of recent returns

    def act(self, observations: Array) -> Array:
        """Draw actions from the policy."""
        return sample_actions(self.logits(observations), self.rngs.exploration)

    def greedy(self, observations: Array) -> Array:
        """Choose the most probable actions."""
        return self.logits(observations).argmax(axis=1)

    def preferences(self, observations: Array) -> Array:
        """Return pi(a|s) of every action, (N, A)."""
        return probabilities(self.logits(observations))

    def logits(self, observations: Array) -> Array:
        """Return the actor's logits, (N, A)."""
        return self.model.predict(self.scaler(observations))

    def observe(self, experience: Experience) -> Metrics | None:
        """Store a step of every game; make an update when the rollout is full."""
        self.rollout.add(experience)
        self.steps += len(experience.rewards)
        if not self.rollout.full:
            return None
        metrics = self.update(self.rollout)
        self.scaler.update(self.rollout.flat_observations())
        return metrics

    def truncate(self, observations: Array) -> None:
        self.rollout.truncate()

    def update(self, rollout: Rollout) -> Metrics:
        """Take one step of gradient descent on the B = T * E steps of a rollout."""
        s = self.settings
        actions = rollout.actions.ravel()  # (B,)
        self.outputs = logits = self.model.forward(self.scaler(rollout.flat_observations()))  # (B, A)
        advantages = self.advantages(rollout)  # (B,) constants
        policy, entropy, dlogits = policy_loss(logits, actions, advantages, s.ent_coef)
        loss = policy - s.ent_coef * entropy
        check_loss(loss, advantages=advantages)
        self.model.backward(dlogits)  # (B, A)
        self.optimizer.step()
        self.updates += 1
        return {
            "train/loss": loss,
            "train/policy_loss": policy,
            "train/entropy": entropy,
            "train/baseline": self.baseline,
        }

    def advantages(self, rollout: Rollout) -> Array:
        """Return how much better than usual each action was, (T * E,).

        The baseline stands for the rest of truncated returns.
        """
        s, r = self.settings, rollout
        following = np.full(r.rewards.shape, self.baseline, np.float32)  # (T, E)
        returns = discounted_returns(r.rewards, r.terminated, r.done, following, s.gamma).ravel()
        rate = s.baseline_rate if self.updates else 1.0  # the first rollout sets both
        self.baseline += rate * (float(returns.mean()) - self.baseline)
        self.spread += rate * (float(returns.std()) - self.spread)
        return (returns - np.float32(self.baseline)) / np.float32(self.spread + SMALLEST_SPREAD)

    def distributions(self) -> dict[str, Array]:
        return {} if self.outputs is None else {"train/policy_entropy": entropies(self.outputs)}

    def status(self) -> Metrics:
        return {"train/n_updates": self.updates}


class PolicyGradient(Algorithm):
    """REINFORCE with a baseline: `PolicyGradient("CartPole-v1", seed=0).learn(20_000)`.

    The keywords are those of Settings.
    """

    article = "policy_gradient"
    settings_class = Settings
    agent_class = PolicyGradientAgent
    metrics = ("train/loss", "train/policy_loss", "train/entropy", "train/baseline", "train/n_updates")


SUMMARY = "A policy network learns CartPole (article 7), until the task is solved."
EXAMPLES = (
    "python -m rl.policy_gradient                     learn, then show the result",
    "python -m rl.policy_gradient --play              watch the newest trained agent",
)


@exit_codes
def main(argv: list[str] | None = None) -> None:
    """python -m rl.policy_gradient"""
    run(PolicyGradient, SUMMARY, EXAMPLES, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
