"""Trainer: a loop over episodes with hooks, and the Experience of each of its steps."""

from __future__ import annotations

import re
from collections import deque
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from nnlite.utils import positive, real
from rl.command.errors import require
from rl.fn_framework.logger import Logger
from rl.fn_framework.observer import TIME_LIMIT, advance, expect_pictures, seed_environment, show, start

WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")  # where a new one begins in CamelCase


class Experience(NamedTuple):
    """One step of one game."""

    s: Any  # the state before the action
    a: int  # the action
    r: float  # the reward
    n_s: Any  # the state after the action
    d: bool  # the game is over after it; False where only its time is up


class Trainer:
    """A loop over episodes that calls the hooks of a subclass: there the agent is made and improved.

    buffer_size      experiences that are kept; training begins when they are that many
    batch_size       experiences of an update, for the subclass
    gamma            discount, for the subclass
    report_interval  episodes between two reports, for the subclass
    log_dir          the Logger's folder
    seed             int, SeedSequence or Generator of random actions and the environment; None: a fresh one

    training        whether training has begun
    training_count  episodes since then
    reward_log      rewards of the episodes, filled by the subclass
    experiences     the last buffer_size experiences; a subclass may keep another sequence
    """

    def __init__(
        self,
        buffer_size: int = 1024,
        batch_size: int = 32,
        gamma: float = 0.9,
        report_interval: int = 10,
        log_dir: Any = "",
        seed: Any = None,
    ) -> None:
        self.buffer_size = positive(buffer_size, "buffer_size")
        self.batch_size = positive(batch_size, "batch_size")
        self.gamma = real(gamma, "gamma", least=0)
        self.report_interval = positive(report_interval, "report_interval")
        self.rng = np.random.default_rng(seed)
        self.logger = Logger(log_dir, self.trainer_name)
        self._clear()

    def _clear(self) -> None:
        self.experiences: Any = deque(maxlen=self.buffer_size)
        self.training, self.training_count = False, 0
        self.reward_log: list[float] = []

    @property
    def trainer_name(self) -> str:
        """The class's name in snake case, without _trainer: deep_q_network."""
        return WORDS.sub("_", type(self).__name__).lower().replace("_trainer", "")

    def train_loop(
        self,
        env: Any,
        agent: Any,
        episode: int = 200,
        initial_count: int = -1,
        render: bool = False,
        observe_interval: int = 0,
    ) -> None:
        """Let the agent play episodes, and call the hooks.

        episode           number of episodes
        initial_count     episodes after which training begins, full buffer or not; -1: it must be full
        render            show every step
        observe_interval  episodes of training between two that become images in TensorBoard; 0: none
        """
        self._clear()
        agent.rng = self.rng.spawn(1)[0]
        seed_environment(env, self.rng)
        if render:
            expect_pictures(env)
        for i in range(episode):
            frames = self._run_episode(i, env, agent, render, observe_interval)
            if not self.training and 0 < initial_count <= i:
                self._begin(i, agent)
            if self.training:
                if frames:
                    self.logger.write_image(self.training_count, frames)
                self.training_count += 1

    def _run_episode(self, i: int, env: Any, agent: Any, render: bool, observe_interval: int) -> list[Any]:
        """Play episode i; return its states where they become images."""
        s, done, step_count, frames = start(env), False, 0, []
        self.episode_begin(i, agent)
        while not done:
            if render:
                show(env)
            count = self.training_count
            if self.training and observe_interval > 0 and (count == 1 or count % observe_interval == 0):
                frames.append(s)
            a = agent.policy(s)
            n_s, reward, done, info = advance(env, a)
            experience = Experience(s, a, reward, n_s, done and not info.get(TIME_LIMIT, False))
            self.experiences.append(experience)
            if not self.training and len(self.experiences) == self.buffer_size:
                self._begin(i, agent)
            self.step(i, step_count, agent, experience)
            s, step_count = n_s, step_count + 1
        self.episode_end(i, step_count, agent)
        return frames

    def _begin(self, i: int, agent: Any) -> None:
        self.begin_train(i, agent)
        self.training = True

    def episode_begin(self, episode: int, agent: Any) -> None:
        """Do what comes before an episode."""

    def begin_train(self, episode: int, agent: Any) -> None:
        """Do what comes before the first training step: the buffer is full, or initial_count reached."""

    def step(self, episode: int, step_count: int, agent: Any, experience: Experience) -> None:
        """Do what comes after each step."""

    def episode_end(self, episode: int, step_count: int, agent: Any) -> None:
        """Do what comes after an episode of step_count steps."""

    def is_event(self, count: int, interval: int) -> bool:
        """Return whether a count other than 0 is a multiple of the interval."""
        return count != 0 and count % interval == 0

    def get_recent(self, count: int) -> list[Any]:
        """Return the last experiences, oldest first. Raises UsageError if the buffer holds fewer."""
        held = len(self.experiences)
        require(count <= held, f"{count} experiences wanted, {held} are held", "give a larger buffer_size")
        return list(islice(reversed(self.experiences), count))[::-1]
