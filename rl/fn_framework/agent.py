"""FNAgent: the agent that acts by a function of the state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnlite import load_model
from nnlite.terminal import say
from rl.command.errors import require
from rl.fn_framework.observer import advance, expect_pictures, seed_environment, show, start


class FNAgent:
    """An agent that acts by a function of the state; a subclass makes the function, and improves it.

    epsilon         probability of a random action
    actions         the numbers of the actions, 0 to A - 1
    model           the function, usually a nnlite.Sequential; None until `initialize`
    estimate_probs  whether `estimate` gives probabilities to draw from, not values to compare
    initialized     whether `policy` may ask `estimate`; set by `initialize`
    rng             generator of random actions: fresh, until a Trainer hands down one of its own
    """

    def __init__(self, epsilon: float, actions: Sequence[int]) -> None:
        self.epsilon = epsilon
        self.actions = actions
        self.model: Any = None
        self.estimate_probs = False
        self.initialized = False
        self.rng = np.random.default_rng()

    def save(self, model_path: Any) -> None:
        """Write the model as safetensors, whatever the file's extension."""
        require(self.model is not None, "the agent has no model yet", "initialize makes it; train first")
        self.model.save(model_path, overwrite=True, include_optimizer=False)

    @classmethod
    def load(cls, env: Any, model_path: Any, epsilon: float = 0.0001) -> Any:
        """Make an agent for the environment from the file of `save`.

        Raises FileNotFoundError, or ValueError for another file, UsageError for actions without numbers.
        """
        space = env.action_space
        require(hasattr(space, "n"), f"the actions are {space}", "use an environment with Discrete actions")
        agent = cls(epsilon, list(range(space.n)))
        agent.model = load_model(model_path)
        agent.initialized = True
        return agent

    def initialize(self, experiences: Any) -> None:
        """Make the model, for states like those of the experiences, and set `initialized`."""
        raise NotImplementedError(f"{type(self).__name__} has no initialize")

    def estimate(self, s: Any) -> Any:
        """Rate the actions in the state s: values or probabilities, (A,)."""
        raise NotImplementedError(f"{type(self).__name__} has no estimate")

    def update(self, experiences: Any, gamma: float) -> Any:
        """Improve the model by a batch of experiences, with this discount."""
        raise NotImplementedError(f"{type(self).__name__} has no update")

    def policy(self, s: Any) -> int:
        """Choose an action in the state s; among equal values, one at random.

        Raises ValueError unless `estimate` gives one number for each action, FloatingPointError for NaN.
        """
        if not self.initialized or self.rng.random() < self.epsilon:
            return int(self.rng.integers(len(self.actions)))
        estimates = np.asarray(self.estimate(s))
        if estimates.shape != (len(self.actions),):
            raise ValueError(f"estimate gave {estimates.shape}, not one number for each of {self.actions}")
        if not np.isfinite(estimates).all():
            raise FloatingPointError(f"estimate gave {estimates}")
        if self.estimate_probs:
            return int(self.rng.choice(len(estimates), p=estimates))
        best = np.flatnonzero(estimates == estimates.max())
        return int(best[0] if len(best) == 1 else self.rng.choice(best))

    def play(self, env: Any, episode_count: int = 5, render: bool = True, seed: Any = None) -> list[float]:
        """Play games; print and return the reward of each.

        render  show the games: in a window where the environment has render_mode="human"
        seed    of the random actions and the environment; None: both go on as they are
        """
        if seed is not None:
            self.rng = np.random.default_rng(seed)
            seed_environment(env, self.rng)
        if render:
            expect_pictures(env)
        rewards = []
        for _ in range(episode_count):
            s, done, episode_reward = start(env), False, 0.0
            while not done:
                if render:
                    show(env)
                s, reward, done, _ = advance(env, self.policy(s))
                episode_reward += reward
            say(f"Get reward {episode_reward}.")
            rewards.append(episode_reward)
        return rewards
