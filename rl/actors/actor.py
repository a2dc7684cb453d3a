"""Actor: plays N games with the learner's weights and returns the steps that it stored. It never learns.

Many actors feed one learner (rl.actors.fleet). This module does not depend on Ray.
"""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple, Protocol

import numpy as np

from nnlite import Sequential
from nnlite.arrays import Array
from rl.actors import slots
from rl.command.threads import use_threads
from rl.core.agent import Agent, Metrics
from rl.core.experience import Experience
from rl.core.games import Episode, Games
from rl.core.observer import make_observed
from rl.core.replay import ReplayBuffer
from rl.core.seeding import streams
from rl.envs.make import actions_of


class ReplayAgent(Protocol):
    """An agent whose `observe` is `store`, then `learn`; the two may run in different processes."""

    model: Sequential
    replay: ReplayBuffer
    steps: int
    updates: int

    def act(self, observations: Array) -> Array: ...
    def network(self) -> Sequential: ...

    def store(self, experience: Experience) -> None:
        """Store one step of every game in the replay."""

    def learn(self, steps: int) -> Metrics | None:
        """Make the updates that are due after `steps` new environment steps in the replay."""


class Weights(NamedTuple):
    """The learner's weights, as flat arrays of a Sequential."""

    params: Array  # trainable
    state: Array  # not trainable: moving means and variances


class Segment(NamedTuple):
    """The next `segment` steps of every game of an actor."""

    slots: slots.Slots
    episodes: list[Episode]  # games that ended in it
    updates: int  # of the learner, when it sent the weights


class Recorder(Agent):
    """Acts as another agent does and stores the steps, without learning from them."""

    def __init__(self, agent: ReplayAgent) -> None:
        self.agent, self.model = agent, agent.model

    def act(self, observations: Array) -> Array:
        return self.agent.act(observations)

    def observe(self, experience: Experience) -> None:
        self.agent.store(experience)


class Actor:
    """One actor with its own N games.

    maker     "module:class" of the algorithm
    settings  of the run
    key       the actor's own spawn key: no two actors of a run draw the same random numbers
    """

    def __init__(self, maker: str, settings: dict[str, Any], key: tuple[int, ...]) -> None:
        use_threads(1)
        module_name, _, name = maker.partition(":")
        module = importlib.import_module(module_name)
        algorithm = getattr(module, name)
        own = algorithm.settings_class(**settings).for_actor()
        rngs = streams(own.seed, key)
        seen = {"frame_stack": own.frame_stack, "action_repeat": own.action_repeat}
        envs = make_observed(own.env_id, own.num_envs, own.max_episode_steps, **seen)
        self.length = own.segment
        self.agent: ReplayAgent = algorithm.agent_class(
            envs.single_observation_space, actions_of(envs), own, rngs
        )
        self.turns = Games(envs, rngs.environment).play(Recorder(self.agent))
        self.updates = -1
        self.sent = np.zeros(own.num_envs, np.int64)

    def play(self, updates: int, steps: int, weights: Weights) -> Segment:
        """Play the next `segment` steps of every game.

        updates, steps  of the learner when it sent these weights; exploration follows the learner's steps
        """
        if updates != self.updates:
            self.agent.model.params[...] = weights.params
            self.agent.model.state[...] = weights.state
            self.updates = updates
        self.agent.steps = steps
        episodes: list[Episode] = []
        for _ in range(self.length):
            episodes += next(self.turns).episodes
        written = self.agent.replay.written.copy()
        segment = Segment(slots.copy_slots(self.agent.replay, self.sent), episodes, updates)
        self.sent = written
        return segment
