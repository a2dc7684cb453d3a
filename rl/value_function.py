"""A small network of values learns to balance a pole (article 5).

Question   Can an agent learn how much every action is worth, and act by that, from four numbers a step?
Method     Q-learning with a replay. A 10-10 network gives Q(s, a) of every action. The agent takes the best
           one, or with probability epsilon a random one; after each step it learns from a random batch of
           stored steps.

               y = r + gamma max_a Q(s', a)       (r alone where the pole has fallen)
               loss = mean (Q(s, a) - y)^2 / 2    y is held constant: a semi-gradient

           Observations are standardised by mean and deviation of the first 1,000 steps, which are played at
           random.
Source     Watkins & Dayan 1992 (Q-learning); Lin 1992 (replay); Sutton & Barto 2018, ch. 6.5 and 11
           (semi-gradients).
Expected   Every seed solves CartPole in about a second: docs/results/value_function.md.

Left out, so that the difference can be seen: a target network, double Q-learning and n-step returns belong to
the next article (rl.dqn). The loss must be squared here. A Huber loss limits the pull of large errors. With
it Q grew without end on every seed tried, because targets and values chase each other.

Where the default differs from the listing, and why
- A time limit is bootstrapped, an end is not; the listing takes both for an end.
- gamma 0.98 instead of 0.9: ten steps ahead the pole still stands while the cart runs out of its track.
- Adam at 3e-3 instead of scikit-learn's 1e-3, a replay of 10,000 steps instead of 1,024: faster, and
  steadier.
- No weight decay (scikit-learn's alpha 1e-4): it pulls values towards 0 without a reason.
- The loss counts the chosen action only. The listing sets the other action's target to its prediction: the
  same gradient, times 1/2 from the mean over two outputs.
- The saved model is the one with the best evaluation; training stops when two evaluations count as solved.
- best.safetensors is one plain network: the scale of the observations is folded into its first layer.

The listing's classes: ValueFunctionAgent is here, ValueFunctionTrainer became rl.training.trainer.
CartPoleObserver is not needed, because games come as rows of (N, 4).
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from nnlite import optimizers
from nnlite.arrays import Array
from rl.command import elsewhere
from rl.command.cli import exit_codes
from rl.command.settings import AgentSettings, require_at_least, require_fraction
from rl.core.agent import Agent, Metrics
from rl.core.experience import Experience
from rl.core.guards import check_loss
from rl.core.networks import MakeNetwork, make_network
from rl.core.policy import epsilon_greedy
from rl.core.replay import Batch, make_replay
from rl.core.returns import td_loss, td_target
from rl.core.scaler import make_scaler
from rl.core.seeding import Streams
from rl.training.algorithm import Algorithm
from rl.training.command import run

SQUARED = math.inf  # delta of a Huber loss without a linear part


@dataclass(frozen=True)
class Settings(AgentSettings):
    """Settings of Q-learning. The defaults learn CartPole fastest."""

    total_timesteps: int = 100_000
    """environment steps, over all parallel games"""
    learning_rate: float = 3e-3
    """step size of Adam"""
    gamma: float = 0.98
    """discount per step, 0 to 1"""
    epsilon: float = 0.1
    """share of random actions, 0 to 1"""
    buffer_size: int = 10_000
    """steps that the replay stores"""
    batch_size: int = 32
    """transitions per update"""
    learning_starts: int = 1_000
    """environment steps of random play before the first update; they set the scale of observations"""
    train_freq: int = 1
    """environment steps between updates"""
    normalize_observations: bool = True
    """True = standardise vectors by the mean and deviation of observations in the first steps"""
    hidden: tuple[int, ...] = (10, 10)
    """units of the hidden layers, for vector observations"""
    eval_freq: int = 2_000
    """environment steps between evaluations; 0 = only at the end"""
    eval_episodes: int = 100
    """greedy games per evaluation"""

    elsewhere = elsewhere.VALUE_FUNCTION

    def validate(self) -> None:
        super().validate()
        for name in ("batch_size", "learning_starts", "train_freq"):
            require_at_least(self, name, 1)
        require_at_least(self, "buffer_size", 6 * self.num_envs)
        require_fraction(self, "epsilon")


class ValueFunctionAgent(Agent):
    """The network, how it acts, and when and from what it learns."""

    STATE = ("optimizer", "replay", "scaler", "rngs", "updates")

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
        self.model = make_network(observations, self.actions, s.hidden, rngs.network, own)
        self.optimizer = optimizers.Adam(s.learning_rate)
        self.optimizer.bind(self.model.params, self.model.grads, self.model.variables)
        self.scaler = make_scaler(s.normalize_observations, observations, self.model)
        self.replay = make_replay(observations, s.buffer_size, s.num_envs, n_step=1, gamma=s.gamma)
        self.updates = 0

    def act(self, observations: Array) -> Array:
        """Choose a random action with probability epsilon, else the best one.

        Before the first update, all actions are random.
        """
        rng = self.rngs.exploration
        if self.steps < self.settings.learning_starts:
            return rng.integers(self.actions, size=len(observations))
        return epsilon_greedy(self.preferences(observations), self.settings.epsilon, rng)

    def preferences(self, observations: Array) -> Array:
        """Return Q(s, a) of every action, (N, A)."""
        return self.model.predict(self.scaler(observations))

    def observe(self, experience: Experience) -> Metrics | None:
        """Store a step of every game; make an update every `train_freq` environment steps."""
        s, e = self.settings, experience
        self.replay.add(e.observations, e.actions, e.rewards, e.terminated, e.done, e.next_observations)
        before, self.steps = self.steps, self.steps + len(e.rewards)
        if self.steps < s.learning_starts:
            return None
        if before < s.learning_starts:
            self.scaler.update(self.replay.sample(s.learning_starts, self.rngs.replay).observations)
        metrics = None
        for _ in range(self.steps // s.train_freq - max(before, s.learning_starts) // s.train_freq):
            metrics = self.update(self.replay.sample(s.batch_size, self.rngs.replay))
        return metrics

    def truncate(self, observations: Array) -> None:
        self.replay.truncate(observations)

    def update(self, batch: Batch) -> Metrics:
        """Take one step of gradient descent on a batch of B transitions."""
        next_q = self.preferences(batch.next_observations)  # (B, A)
        goal = td_target(batch.returns, batch.discounts, next_q)  # (B,) a constant from here on
        self.outputs = q = self.model.forward(self.scaler(batch.observations))  # (B, A)
        loss, dq = td_loss(q, batch.actions, goal, SQUARED)  # dq (B, A)
        check_loss(loss, target=goal)
        self.model.backward(dq)
        self.optimizer.step()
        self.updates += 1
        return {"train/loss": loss, "train/target_mean": float(np.add.reduce(goal)) / len(goal)}

    def distributions(self) -> dict[str, Array]:
        return {} if self.outputs is None else {"train/q_values": self.outputs}

    def status(self) -> Metrics:
        return {"rollout/exploration_rate": self.settings.epsilon, "train/n_updates": self.updates}


class ValueFunction(Algorithm):
    """Q-learning with a replay: `ValueFunction("CartPole-v1", seed=0).learn(20_000)`.

    The keywords are those of Settings.
    """

    article = "value_function"
    settings_class = Settings
    agent_class = ValueFunctionAgent
    metrics = ("train/loss", "train/target_mean", "rollout/exploration_rate", "train/n_updates")


SUMMARY = "Q-learning with a small network (article 5), until CartPole is solved."
EXAMPLES = (
    "python -m rl.value_function                     learn, then show the result",
    "python -m rl.value_function --play              watch the newest trained agent",
)


@exit_codes
def main(argv: list[str] | None = None) -> None:
    """python -m rl.value_function"""
    run(ValueFunction, SUMMARY, EXAMPLES, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
