"""A run of Stable-Baselines3 with the settings of its zoo, judged as our trainer judges."""

from __future__ import annotations

import copy
from typing import Any

import stable_baselines3 as sb3
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from bench.elsewhere.task import LIMITS, Record, Task, mean, processor_seconds, versions
from bench.elsewhere.zoo import NOT_ARGUMENTS, settings_of
from nnlite.arrays import Array
from rl.core.evaluation import Evaluation, Evaluator
from rl.training.due import crossed


class Player:
    """The greedy policy of a model, as an Evaluator of rl.core.evaluation plays it.

    scale  has the statistics that scale observations; None: they are read as they are
    steps  environment steps learned from so far
    """

    def __init__(self, policy: BasePolicy, scale: VecNormalize | None) -> None:
        self.policy, self.scale, self.steps = policy, scale, 0

    def greedy(self, observations: Array) -> Array:
        """Return the best action for each of N observations, (N,)."""
        if self.scale is not None:
            observations = self.scale.normalize_obs(observations)
        return self.policy.predict(observations, deterministic=True)[0]


class Judge(BaseCallback):
    """Evaluates every `eval_freq` steps, keeps the best model, and stops training when it is solved twice.

    The rule is that of rl.training.trainer.
    """

    def __init__(self, player: Player, evaluator: Evaluator, eval_freq: int) -> None:
        super().__init__()
        self.player, self.evaluator, self.eval_freq = player, evaluator, eval_freq
        self.before = 0
        self.best: Evaluation | None = None
        self.last: Evaluation | None = None
        self.solved_at: int | None = None
        self.kept: Player | None = None

    def _on_step(self) -> bool:
        before, self.before = self.before, self.num_timesteps
        if crossed(before, self.before, self.eval_freq):
            self._evaluate()
        return self.solved_at is None

    def _evaluate(self) -> None:
        self.player.steps = self.num_timesteps
        self.last = result = self.evaluator(self.player)  # type: ignore[arg-type]  # it has what is read
        solved = result.solved and self.evaluator(self.player).solved  # type: ignore[arg-type]
        if solved:
            self.solved_at = self.num_timesteps
        if self.best is None or result.score > self.best.score or solved:
            self.best, self.kept = result, copy.deepcopy(self.player)


def run(task: Task) -> Record:
    """Make the run; returns its figures."""
    start = processor_seconds()
    torch.set_num_threads(1)
    settings = settings_of(task.agent, task.env)
    envs = make_envs(task, settings)
    arguments = {name: value for name, value in settings.items() if name not in NOT_ARGUMENTS}
    model = getattr(sb3, task.agent)(env=envs, seed=task.seed, device="cpu", **arguments)
    judge = Judge(
        Player(model.policy, envs if isinstance(envs, VecNormalize) else None), task.judge(), task.eval_freq
    )
    model.learn(settings["n_timesteps"], callback=judge)
    end = processor_seconds()
    assert judge.best and judge.last and judge.kept  # the budget is at least one evaluation
    fresh = task.judge(final=True)(judge.kept, to_the_end=True)  # type: ignore[arg-type]
    return Record(
        solved=judge.solved_at is not None,
        steps_to_solved=judge.solved_at,
        steps=model.num_timesteps,
        budget=settings["n_timesteps"],
        best_mean_return=mean(judge.best),
        last_mean_return=mean(judge.last),
        mean_return=mean(fresh),
        seconds=round(end, 2),
        learning_seconds=round(end - start, 2),
        versions=versions("stable-baselines3", "torch"),
    )


def make_envs(task: Task, settings: dict[str, Any]) -> VecEnv:
    """Make the games of training as the zoo does."""
    limit = LIMITS.get(task.env)
    made = {} if limit is None else {"env_kwargs": {"max_episode_steps": limit}}
    envs: VecEnv = make_vec_env(task.env_id, settings.get("n_envs", 1), seed=task.seed, **made)
    if settings.get("normalize"):
        gamma = {name: settings[name] for name in ("gamma",) if name in settings}
        envs = VecNormalize(envs, **gamma)
    return envs
