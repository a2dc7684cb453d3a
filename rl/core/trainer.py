"""Trainer: the one loop, for every agent: act, step, observe.

Around it stands what no article should repeat: episode statistics, progress, logging, evaluation, the best model, stopping,
checkpoints. It has no hooks to override: the agent decides in its own `observe` when it learns.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv

from rl.core.agent import Agent, Array
from rl.core.evaluation import Evaluation, Evaluator
from rl.core.experience import Experience, real_next
from rl.core.logger import Logger
from rl.core.progress import Progress

LOG_ROWS = 100  # rows of progress.csv in a run
RECENT = 100  # episodes of the mean return that is shown
STRIP = 8  # screens in a TensorBoard image strip


class Trainer:
    """Runs an agent on N parallel games.

    envs       SAME_STEP vector environment, seeded by reset(seed)
    evaluator  judges the agent every `eval_freq` steps; the best one is kept as best.safetensors
    folder     the run's folder
    """

    def __init__(
        self,
        agent: Agent,
        envs: VectorEnv,
        evaluator: Evaluator,
        logger: Logger,
        progress: Progress,
        folder: Path,
        *,
        total_timesteps: int,
        eval_freq: int,
        keep_going: bool,
        seed: int,
    ) -> None:
        self.agent, self.envs, self.evaluator = agent, envs, evaluator
        self.logger, self.progress, self.folder = logger, progress, folder
        self.total_timesteps, self.eval_freq, self.keep_going, self.seed = total_timesteps, eval_freq, keep_going, seed
        self.log_freq = max(total_timesteps // LOG_ROWS, envs.num_envs)
        self.returns: list[float] = []  # of every finished training episode
        self.lengths: list[int] = []
        self.recent: deque[float] = deque(maxlen=RECENT)
        self.best: Evaluation | None = None
        self.solved_at: int | None = None
        self._running_return = np.zeros(envs.num_envs)
        self._running_length = np.zeros(envs.num_envs, np.int64)

    def train(self) -> None:
        """Play and learn until the last step, or until the environment is solved."""
        agent, envs = self.agent, self.envs
        observations, _ = envs.reset(seed=self.seed)
        while agent.steps < self.total_timesteps:
            before = agent.steps
            actions = agent.act(observations)
            following, rewards, terminated, truncated, info = envs.step(actions)
            done = terminated | truncated
            last = real_next(following, info, done) if info else following
            metrics = agent.observe(Experience(observations, actions, rewards, last, terminated, truncated))
            observations = following
            if metrics:
                self.logger.add(metrics)
            self._count(rewards, done)
            if self._crossed(before, self.log_freq):
                self._log(observations)
            if self._crossed(before, self.eval_freq) and self._evaluate() and not self.keep_going:
                break
        if self.best is None or self.solved_at is None:
            self._evaluate()
        self._log(observations)

    def _crossed(self, before: int, every: int) -> bool:
        """A multiple of `every` lies in this step."""
        return every > 0 and self.agent.steps // every > before // every

    def _count(self, rewards: Array, done: Array) -> None:
        """Add up the running episodes, and report those that are over."""
        self._running_return += rewards
        self._running_length += 1
        if done.any():
            for game in np.flatnonzero(done):
                total, length = float(self._running_return[game]), int(self._running_length[game])
                self.returns.append(total)
                self.lengths.append(length)
                self.recent.append(total)
                self.logger.episode(total, length)
                self.progress.episode(self.returns)
            self._running_return[done] = 0
            self._running_length[done] = 0
        self.progress.step(self.agent.steps, self.recent, self.agent.status)

    def _log(self, observations: Array) -> None:
        values = {"time/fps": self.progress.rate(), "time/episodes": float(len(self.returns)), **self.agent.status()}
        if self.recent:
            values |= {"rollout/ep_rew_mean": float(np.mean(self.recent)), "rollout/ep_len_mean": float(np.mean(self.lengths[-RECENT:]))}
        self.logger.row(self.agent.steps, values)
        if observations.dtype == np.uint8 and observations.ndim == 4:
            self.logger.strip(self.agent.steps, "rollout/observation", [observations[0, :, :, k] for k in range(observations.shape[3])])

    def _evaluate(self) -> bool:
        """Judge the agent, keep it if it is the best so far; True when it counts as solved, twice on fresh games."""
        result = self.evaluator(self.agent)
        solved = result.solved and self.evaluator(self.agent).solved
        best = self.best is None or result.score > self.best.score or (solved and self.solved_at is None)
        if best:
            self.best = result
            self.agent.save(self.folder / "best.safetensors")
        if solved and self.solved_at is None:
            self.solved_at = self.agent.steps
        self.logger.scalars(self.agent.steps, {"eval/mean_reward": result.mean, "eval/score": result.score})
        self.progress.evaluation(self.agent.steps, result, best, solved)
        return solved

    def summary(self) -> dict[str, Any]:
        """What the run reached, as plain values."""
        return {
            "steps": self.agent.steps,
            "episodes": len(self.returns),
            "solved_at": self.solved_at,
            "best_score": None if self.best is None else self.best.score,
            "best_mean_return": None if self.best is None or not len(self.best.returns) else self.best.mean,
        }
