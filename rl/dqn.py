"""DQN learns Catcher from the screen (article 6).

Question   Can an agent that sees only a 64x64 screen learn to catch what falls?
Method     Deep Q-learning. A network gives the value Q(s, a) of every action. The agent mostly takes the best
           action, stores every step, and learns from random batches of stored steps.

               y = r_1 + gamma r_2 + ... + gamma^(n-1) r_n + gamma^n Q_target(s_n, argmax_a Q(s_n, a))
               loss = mean Huber(Q(s, a) - y)

           n-step returns; double DQN (the online network chooses, the target network judges); the target
           network is copied from the online one every `target_update` updates; N games are played at once.
Source     Mnih et al. 2015 (DQN); van Hasselt et al. 2016 (double DQN); Sutton & Barto 2018, ch. 7 (n-step).
Expected   Every seed solves Catcher in about a minute on two cores: docs/results/dqn.md.

Where the default differs from the listing, and why
- n-step returns, many games, and 16 steps an update instead of 1. The reward of a catch comes 20 steps after
  the decision; the listing's one-step targets hardly carry it back that far.
- The target network starts equal to the online one and is copied by updates, not by episodes. A good player's
  episodes become 100 times longer, and the listing's teacher would freeze.
- A time limit is bootstrapped, an end is not; the listing takes both for an end.
- Frames are stored once, as bytes: 0.32 GB where the listing's replay needs 10 GB. The stack is cleared at
  reset.
- Rewards are clipped to [-1, 1] and a lost life ends the return (not the game), as in the Atari experiments.
- The saved model is the one with the best evaluation, not the one with the luckiest episode.
- `--test` ends in a linear layer: the listing's ReLU cannot express a negative value. It learns from squared
  errors. With errors clipped at 1, the few ends of episodes are outvoted by the many steps before them, and Q
  grew beyond 1,000.

The listing's classes: DeepQNetworkAgent is here (DeepQNetworkAgentTest is --test), its teacher model is
`target`, CatcherObserver is rl.core.observer, DeepQNetworkTrainer became rl.training.trainer and
rl.core.replay.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from gymnasium import spaces

from nnlite import optimizers
from nnlite.arrays import Array
from rl.command import elsewhere
from rl.command.cli import exit_codes
from rl.command.errors import require
from rl.command.settings import ActorSettings, require_at_least, require_fraction
from rl.core.agent import Agent, Metrics
from rl.core.experience import Experience
from rl.core.guards import check_loss
from rl.core.networks import MakeNetwork, make_network
from rl.core.policy import epsilon_greedy
from rl.core.replay import Batch, make_replay
from rl.core.returns import td_loss, td_target
from rl.core.scaler import make_scaler
from rl.core.schedules import linear
from rl.core.seeding import Streams
from rl.training.algorithm import Algorithm
from rl.training.command import run


@dataclass(frozen=True)
class Settings(ActorSettings):
    """Settings of DQN. The defaults learn Catcher fastest."""

    env_id: str = "rl/Catcher-v0"
    """Gymnasium id; module:ID imports your own module first"""
    total_timesteps: int = 100_000
    """environment steps, over all parallel games"""
    max_episode_steps: int = 1_000
    """steps after which a game is truncated; 0 = the environment's own limit"""
    num_envs: int = 8
    """parallel games"""
    learning_rate: float = 5e-4
    """step size of Adam"""
    gamma: float = 0.97
    """discount per step, 0 to 1"""
    n_step: int = 5
    """rewards that a return sums before it bootstraps"""
    buffer_size: int = 50_000
    """steps that the replay stores"""
    batch_size: int = 32
    """transitions per update"""
    learning_starts: int = 1_000
    """environment steps of random play before the first update"""
    train_freq: int = 16
    """environment steps between updates"""
    target_update: int = 200
    """updates between copies of the network to the target network"""
    initial_epsilon: float = 1.0
    """share of random actions at the start"""
    final_epsilon: float = 0.05
    """share of random actions at the end"""
    exploration_steps: int = 8_000
    """environment steps from the initial to the final epsilon"""
    huber_delta: float = 1.0
    """Huber loss: errors above this count linearly, below it squared; inf = all squared"""
    double: bool = True
    """True = double DQN: the online network chooses, the target network judges"""
    clip_rewards: bool = True
    """True = clip rewards to [-1, 1] before learning"""
    life_loss_ends: bool = True
    """True = a negative reward ends the return, but not the game"""
    normalize_observations: bool = False
    """True = standardise vectors by the mean and deviation of observations in the first steps"""
    hidden: tuple[int, ...] = (64,)
    """units of the hidden layers, for vector observations"""
    eval_freq: int = 1_000
    """environment steps between evaluations; 0 = only at the end"""
    save_freq: int = 10_000
    """environment steps between checkpoints, of which there is one a minute too; 0 = only at the end"""

    elsewhere = elsewhere.DQN

    def validate(self) -> None:
        super().validate()
        for name in ("n_step", "batch_size", "train_freq", "target_update", "exploration_steps"):
            require_at_least(self, name, 1)
        require_at_least(self, "learning_starts", int(self.normalize_observations))
        require_at_least(self, "buffer_size", self.shortest_ring * self.games)
        require_fraction(self, "initial_epsilon")
        require_fraction(self, "final_epsilon")
        require(self.huber_delta > 0, f"--huber-delta is {self.huber_delta}", "give a number > 0, or inf")

    @property
    def shortest_ring(self) -> int:
        """Slots per game for a return, a stack and an actor's segment; a step that ends a game takes two."""
        return self.n_step + 5 + (2 * self.segment if self.actors else 0)

    @property
    def first_update(self) -> int:
        """Environment steps before learning: `learning_starts`, but no fewer than a return takes."""
        return max(self.learning_starts, (self.n_step + 1) * self.games)

    def for_actor(self) -> Settings:
        return replace(self, actors=0, ray_address="", buffer_size=self.shortest_ring * self.num_envs)


TEST = elsewhere.DQN_TEST


class DeepQNetworkAgent(Agent):
    """The network, how it acts, and when and from what it learns."""

    STATE = ("target", "optimizer", "replay", "scaler", "rngs", "updates")

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
        self.target = make_network(observations, self.actions, s.hidden, rngs.network, own)
        apart = self.target is not self.model
        require(apart, "network made the same network twice", "make a new one each time")
        self.target.copy_from(self.model)
        self.optimizer = optimizers.Adam(s.learning_rate)
        self.optimizer.bind(self.model.params, self.model.grads, self.model.variables)
        self.scaler = make_scaler(s.normalize_observations, observations, self.model)
        self.replay = make_replay(observations, s.buffer_size, s.games, n_step=s.n_step, gamma=s.gamma)
        self.updates = 0

    @property
    def epsilon(self) -> float:
        """Share of random actions now."""
        s = self.settings
        return linear(self.steps - s.learning_starts, s.initial_epsilon, s.final_epsilon, s.exploration_steps)

    def act(self, observations: Array) -> Array:
        """Choose a random action with probability epsilon, else the best one."""
        rng = self.rngs.exploration
        if self.steps < self.settings.learning_starts:
            return rng.integers(self.actions, size=len(observations))
        return epsilon_greedy(self.preferences(observations), self.epsilon, rng)

    def preferences(self, observations: Array) -> Array:
        """Return Q(s, a) of every action, (N, A)."""
        return self.model.predict(self.scaler(observations))

    def observe(self, experience: Experience) -> Metrics | None:
        """Store a step of every game; make an update every `train_freq` environment steps."""
        self.store(experience)
        return self.learn(len(experience.rewards))

    def store(self, experience: Experience) -> None:
        """Store a step of every game in the replay. Actors (rl.actors) do this in their own processes."""
        s, e = self.settings, experience
        rewards = np.clip(e.rewards, -1, 1) if s.clip_rewards else e.rewards
        ends = e.terminated | (e.rewards < 0) if s.life_loss_ends else e.terminated
        self.replay.add(e.observations, e.actions, rewards, ends, e.done, e.next_observations)

    def learn(self, steps: int) -> Metrics | None:
        """Make the updates that are due after `steps` new steps; return the numbers of the last one."""
        s = self.settings
        before, self.steps = self.steps, self.steps + steps
        if self.steps < s.first_update:
            return None
        if before < s.first_update and s.normalize_observations:
            self.scaler.update(self.replay.sample(s.first_update, self.rngs.replay).observations)
        metrics = None
        for _ in range(self.steps // s.train_freq - max(before, s.first_update) // s.train_freq):
            metrics = self.update(self.sample())
        return metrics

    def sample(self) -> Batch:
        """Draw a batch of stored steps, as the network reads them."""
        batch = self.replay.sample(self.settings.batch_size, self.rngs.replay)
        if not self.scaler.fitted:
            return batch
        now, following = self.scaler(batch.observations), self.scaler(batch.next_observations)
        return batch._replace(observations=now, next_observations=following)

    def truncate(self, observations: Array) -> None:
        self.replay.truncate(observations)

    def goal(self, batch: Batch) -> Array:
        """Return what Q of the chosen actions should be, (B,)."""
        next_q = self.target.predict(batch.next_observations)  # (B, A)
        chooser = self.model.predict(batch.next_observations) if self.settings.double else next_q  # (B, A)
        return td_target(batch.returns, batch.discounts, next_q, chooser)

    def update(self, batch: Batch) -> Metrics:
        """Take one step of gradient descent on a batch of B transitions."""
        goal = self.goal(batch)  # (B,) a constant from here on
        self.outputs = q = self.model.forward(batch.observations)  # (B, A)
        loss, dq = td_loss(q, batch.actions, goal, self.settings.huber_delta)  # dq (B, A)
        check_loss(loss, returns=batch.returns, target=goal, q=q)
        self.model.backward(dq)
        self.optimizer.step()
        self.updates += 1
        if self.updates % self.settings.target_update == 0:
            self.target.copy_from(self.model)
        return {"train/loss": loss, "train/target_mean": float(np.add.reduce(goal)) / len(goal)}

    def distributions(self) -> dict[str, Array]:
        return {} if self.outputs is None else {"train/q_values": self.outputs}

    def status(self) -> Metrics:
        return {"rollout/exploration_rate": self.epsilon, "train/n_updates": self.updates}


class DQN(Algorithm):
    """Deep Q-learning: `DQN("CartPole-v1", seed=0).learn(20_000)`.

    The keywords are those of Settings.
    """

    article = "dqn"
    settings_class = Settings
    agent_class = DeepQNetworkAgent
    metrics = ("train/loss", "train/target_mean", "rollout/exploration_rate", "train/n_updates")


SUMMARY = "DQN learns Catcher from the screen (article 6), until the game is solved."
EXAMPLES = (
    "python -m rl.dqn                      learn, then show the result",
    "python -m rl.dqn --play               watch the newest trained agent",
    "python -m rl.dqn --test               CartPole-v0 with a small dense network",
    "python -m rl.dqn --env-id Acrobot-v1  another environment",
    "python -m rl.dqn --actors 2           two Ray processes play, this one learns",
)


@exit_codes
def main(argv: list[str] | None = None) -> None:
    """python -m rl.dqn"""
    run(DQN, SUMMARY, EXAMPLES, {"test": TEST}, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
