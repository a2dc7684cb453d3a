"""Algorithm: an agent and its environment, as people use them from Python.

agent = DQN("CartPole-v1", seed=0).learn(20_000)
agent.evaluate(100).mean
action = agent.predict(observation)
agent.save("cartpole.safetensors")
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import gymnasium
import numpy as np
from gymnasium.vector import VectorEnv

from nnlite import Sequential
from nnlite.arrays import Array
from nnlite.attributes import Guarded, argument
from nnlite.models import save_model
from rl.articles import module_of
from rl.command.config import NAME
from rl.command.errors import require, require_count
from rl.command.settings import AgentSettings, RunName
from rl.command.threads import threads
from rl.core.agent import Agent
from rl.core.encoders import read_batch
from rl.core.evaluation import Evaluation, Evaluator
from rl.core.games import Source
from rl.core.networks import MakeNetwork, observation_shape, require_loadable
from rl.core.observer import observe, stacking
from rl.core.seeding import streams
from rl.envs.faults import GivenEnv
from rl.envs.given import copy_of, vector_of
from rl.envs.goals import Goal, goal_of
from rl.envs.make import actions_of
from rl.runs.resume import describe_stop
from rl.runs.run import Run, open_run
from rl.runs.run_folder import LAST
from rl.runs.signals import Interrupted
from rl.training.keywords import settings_from
from rl.training.progress import Progress
from rl.training.source import make_source
from rl.training.trainer import COLUMNS, Callback, Trainer
from rl.watch.stage import Stage

A = TypeVar("A", bound="Algorithm")
NOTES = "agent"  # the entry of a model file that says whose network it is
EVALUATION_KEY = (6, 0)  # evaluations that a user asks for draw from a generator of their own


class Algorithm(Guarded):
    """An agent that learns, predicts, is evaluated, saved and loaded. Subclasses are DQN, A2C, ...

    env       a Gymnasium id, an environment, a function that makes one, or a vector environment (SAME_STEP)
    network   makes a network of one's own: (shape of an observation, outputs, generator) -> nnlite.Sequential
    observer  wraps the vector environment into what the network reads; rl.core.observer.observe by default
    reward    the rewards (N,) to learn from, made of the environment's (N,): numpy.sign clips them
    settings  a Settings object, in place of keywords
    keywords  settings by name; `DQN.settings_class` lists them with their defaults

    Raises UsageError, in two lines, for settings and environments that cannot work. Nothing is printed, and
    no folder is written, unless `learn` is asked to. Interrupting `learn` leaves an agent that can learn on.
    """

    article: ClassVar[str]  # names its runs and files; by default the class's name, in small letters
    settings_class: ClassVar[type[AgentSettings]]
    agent_class: ClassVar[Callable[..., Agent]]
    metrics: ClassVar[tuple[str, ...]]  # columns of progress.csv
    env: GivenEnv = argument()
    observer: Callable[[VectorEnv], VectorEnv] = argument()
    settings: AgentSettings = argument()
    observations: gymnasium.Space[Any] = argument()
    actions: gymnasium.spaces.Discrete = argument()
    goal: Goal = argument()
    agent: Agent = argument()
    evaluation_seed: int = argument()
    encode: Callable[[Any], Array] = argument()
    source: Source = argument()

    def __init_subclass__(cls) -> None:
        """Name a class that has no `article`: its runs and files are not those of its base."""
        super().__init_subclass__()
        if "article" not in cls.__dict__:
            cls.article = cls.__name__.lower()

    def __init__(
        self,
        env: GivenEnv,
        *,
        network: MakeNetwork | None = None,
        observer: Callable[[VectorEnv], VectorEnv] = observe,
        reward: Callable[[Array], Array] | None = None,
        settings: AgentSettings | None = None,
        **keywords: Any,
    ) -> None:
        self.env = env
        require(settings is None or not keywords, "settings and keywords are given", "give one of them")
        self.settings = settings or settings_from(self.settings_class, env, keywords)
        self.settings.validate()
        self.observer = stacking(observer, self.settings.frame_stack)
        clips = reward is not None and getattr(self.settings, "clip_rewards", False)
        require(not clips, "reward and clip_rewards both change the rewards", "give clip_rewards=False")
        rngs = streams(self.settings.seed)
        envs = self.make_envs(env, self.settings.num_envs)
        self.observations, self.actions = envs.single_observation_space, actions_of(envs)
        self.goal = goal_of(envs)
        self.agent = self.agent_class(self.observations, self.actions, self.settings, rngs, network)
        self.evaluation_seed = rngs.evaluation
        self.encode = getattr(envs, "encode", np.asarray)
        plain = isinstance(env, str) and network is None and observer is observe
        self.source = make_source(type(self), self.settings, envs, rngs.environment, reward, plain)
        self._evaluator: Evaluator | None = None

    def make_envs(self, env: GivenEnv, num_envs: int) -> VectorEnv:
        """N games as the network reads them."""
        s = self.settings
        return self.observer(vector_of(env, num_envs, s.max_episode_steps, s.action_repeat))

    @property
    def model(self) -> Sequential:
        """The network that acts."""
        return self.agent.model

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of progress.csv."""
        return (*COLUMNS, *self.source.columns, *self.metrics)

    @property
    def steps(self) -> int:
        """Environment steps learned from so far."""
        return self.agent.steps

    def learn(
        self: A,
        total_timesteps: int,
        callback: Callback | None = None,
        progress: bool = False,
        run: str | Path | None = None,
    ) -> A:
        """Learn for `total_timesteps` environment steps more; returns the agent itself.

        It stops earlier when the environment counts as solved (keep_going=True goes on), or when `callback`
        returns False.

        callback  called with an Event after each turn and each evaluation
        progress  print what the command prints
        run       a folder that receives the run's own folder, or a run's folder to go on in
        """
        require_count(total_timesteps, "total_timesteps")
        settings = replace(self.settings, total_timesteps=self.steps + int(total_timesteps))
        with threads(settings.num_threads):
            if run is None:
                self._train(settings, None, progress, callback)
            else:
                require_loadable(self.agent.network())
                resumes = (Path(run) / NAME).is_file()
                settings = replace(settings, **({"resume": RunName(run)} if resumes else {"out": str(run)}))
                with open_run(self.article, settings, self.columns) as opened:
                    self.train_in(opened, progress, callback)
        return self

    def train_in(self, run: Run, progress: bool = False, callback: Callback | None = None) -> Trainer:
        """Train with the settings of a run on disk, and leave its last model and its result there.

        Raises Interrupted, with the command that resumes it, when a signal stopped it.
        """
        try:
            trainer = self._train(run.settings, run, progress, callback)
        except Interrupted as stop:
            what = describe_stop(self.article, f"{self.steps:,} steps", run.folder)
            raise Interrupted(stop.number, what) from None
        self.agent.save(run.folder / LAST)
        run.save_result(trainer.summary())
        trainer.wait_for_checkpoint()
        return trainer

    def predict(self, observation: Any) -> Any:
        """Choose the best action for one observation, an int, or for a batch of N, an array (N,).

        The actions are those of the environment: start .. start + n - 1 for Discrete(n, start=start).
        A network that reads screens needs stacks of them, as `make_envs` gives them.
        Raises UsageError when the shape is neither.
        """
        batch, single = read_batch(observation, self.encode, observation_shape(self.observations))
        actions = self.agent.greedy(batch) + int(self.actions.start)
        return int(actions[0]) if single else actions

    def evaluate(self, games: int = 20, seed: int | None = None) -> Evaluation:
        """Play greedy games apart from those of training; the same seed gives the same games.

        Returns returns, lengths, mean and std, and whether the environment counts as solved.
        """
        require_count(games, "games")
        first = streams(self.settings.seed, EVALUATION_KEY).evaluation if seed is None else seed
        evaluator = self._make_evaluator(games, first)
        with threads(self.settings.num_threads):
            result = evaluator(self.agent, to_the_end=True)
        evaluator.close()
        return result

    def make_stage(self, seed: int | None = None) -> Stage:
        """One game with pictures; the seed is an evaluation's, the run's own by default."""
        first = self.evaluation_seed if seed is None else streams(seed).evaluation
        s = self.settings
        return Stage(copy_of(self.env), s.max_episode_steps, first, self.observer, s.action_repeat)

    def play(self, folder: str | Path = ".", seed: int | None = None) -> None:
        """Show greedy games: in a window, in the notebook, or without a screen as files in this folder.

        Raises UsageError when the environment has no pictures.
        """
        from rl.watch.play import play  # Matplotlib and Pillow

        Path(folder).mkdir(parents=True, exist_ok=True)
        title = f"{module_of(self.article)} on {self.settings.env_id}"
        play(self.agent, partial(self.make_stage, seed), title, Path(folder))

    def save(self, path: str | Path) -> None:
        """Write the network, with the settings that `rl.load` needs."""
        config = {"article": self.article, "settings": asdict(self.settings)}
        save_model(self.agent.network(), path, notes={NOTES: json.dumps(config)})

    def close(self) -> None:
        """Close the environments; stop the actors."""
        self.source.close()
        if self._evaluator is not None:
            self._evaluator.close()

    def _make_evaluator(self, games: int, seed: int) -> Evaluator:
        ready = isinstance(self.env, (gymnasium.Env, VectorEnv))
        envs = self.make_envs(copy_of(self.env), self.settings.num_envs if ready else games)
        return Evaluator(envs, games, self.goal, seed)

    def _train(
        self, settings: AgentSettings, run: Run | None, shows: bool, callback: Callback | None
    ) -> Trainer:
        """Train until settings.total_timesteps; returns the Trainer, which knows what was reached."""
        if self._evaluator is None:
            self._evaluator = self._make_evaluator(settings.eval_episodes, self.evaluation_seed)
        with Progress(settings.total_timesteps, quiet=not shows) as progress:
            trainer = Trainer(self.agent, self.source, self._evaluator, settings, progress, run, callback)
            trainer.train()
        return trainer
