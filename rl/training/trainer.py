"""Trainer: the one loop, for every agent: act, step, observe (rl.core.games), again and again.

Around it stands what no article should repeat: episode statistics, progress, logging, evaluation, the best
model, stopping, checkpoints. It has no hooks to override: the agent decides in its own `observe` when it
learns.

A run is saved between two steps only, so that everything that is saved fits together, and goes on as if it
had never stopped: `get_state` holds all that the next step depends on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rl.core.agent import Agent
from rl.core.evaluation import Evaluation, Evaluator
from rl.core.games import Episode, Source
from rl.runs.checkpoint import Checkpoints
from rl.runs.logger import Logger
from rl.runs.signals import Interrupted, StopSignals
from rl.training.progress import Progress

LOG_ROWS = 100  # rows of progress.csv in a run
BEST = "best.safetensors"
RECENT = 100  # episodes of the mean return that is shown
STRIP = 8  # screens in a TensorBoard image strip


class Trainer:
    """Runs an agent on the games of a source.

    source     plays, and lets the agent observe
    evaluator  judges the agent every `eval_freq` steps; the best one is kept as best.safetensors
    folder     the run's folder
    save_freq  environment steps between checkpoints; 0 = only at the end, and when a signal stops the run
    remake     makes the folder again when somebody removed it
    """

    def __init__(
        self,
        agent: Agent,
        source: Source,
        evaluator: Evaluator,
        logger: Logger,
        progress: Progress,
        folder: Path,
        *,
        total_timesteps: int,
        eval_freq: int,
        keep_going: bool,
        save_freq: int = 0,
        checkpoints: Checkpoints | None = None,
        remake: Callable[[], None] | None = None,
    ) -> None:
        self.agent, self.source, self.evaluator = agent, source, evaluator
        self.logger, self.progress, self.folder = logger, progress, folder
        self.total_timesteps, self.eval_freq, self.keep_going = total_timesteps, eval_freq, keep_going
        self.save_freq, self.checkpoints = save_freq, checkpoints or Checkpoints(folder)
        self.remake = remake or folder.mkdir
        self.stop = StopSignals()
        self.log_freq = max(total_timesteps // LOG_ROWS, source.stride)
        self.returns: list[float] = []  # of every finished training episode
        self.lengths: list[int] = []
        self.recent: deque[float] = deque(maxlen=RECENT)
        self.best: Evaluation | None = None
        self.solved_at: int | None = None
        self._begun = False
        self._evaluation_due = False

    @property
    def finished(self) -> bool:
        """Nothing is left to do: the last step is done, or the environment solved."""
        return self.agent.steps >= self.total_timesteps or (
            self.solved_at is not None and not self.keep_going
        )

    def train(self) -> None:
        """Play and learn until the last step, or until the environment is solved.

        A signal stops it after the step that is under way: then the checkpoint is written and Interrupted
        raised.
        """
        with self.stop:
            if not self._begun:
                self.source.begin()
                self._begun = True
            if self._evaluation_due:
                self._evaluate()
            while not self.finished and self.stop.received is None:
                before = self.agent.steps
                self._step()
                if self._crossed(before, self.log_freq):
                    self._log()
                if self._crossed(before, self.eval_freq):
                    self._evaluate()
                if self._crossed(before, self.save_freq) and not self.checkpoints.busy:
                    self.save()
            self.save()
            if self.stop.received is None and (self.best is None or self.solved_at is None):
                self._evaluate()
            if self.stop.received is not None:
                self.wait_for_checkpoint()
                raise Interrupted(self.stop.received)
            self._log()

    def _step(self) -> None:
        """Play a little, and note what came of it."""
        metrics, episodes, said = self.source.step()
        if metrics:
            self.logger.add(metrics)
        for episode in episodes:
            self._note(episode)
        if said:
            self.progress.say(said)
        self.progress.step(self.agent.steps, self.recent, self.agent.status)

    def _crossed(self, before: int, every: int) -> bool:
        """A multiple of `every` lies in this step."""
        return every > 0 and self.agent.steps // every > before // every

    def _note(self, episode: Episode) -> None:
        """A training game is over."""
        self.returns.append(episode.total)
        self.lengths.append(episode.length)
        self.recent.append(episode.total)
        self.logger.episode(episode.total, episode.length)
        self.progress.episode(self.returns)

    def _log(self) -> None:
        values = {"time/fps": self.progress.rate(), "time/episodes": float(len(self.returns))}
        values |= {**self.agent.status(), **self.source.status()}
        if self.recent:
            values |= {
                "rollout/ep_rew_mean": float(np.mean(self.recent)),
                "rollout/ep_len_mean": float(np.mean(self.lengths[-RECENT:])),
            }
        self.logger.row(self.agent.steps, values)
        for name, numbers in self.agent.distributions().items():
            self.logger.histogram(self.agent.steps, name, numbers)
        self.logger.strip(self.agent.steps, "rollout/observation", self.source.screens())

    def _evaluate(self) -> None:
        """Judge the agent, keep it if it is the best so far; it is solved when it is so twice, on fresh
        games.

        A signal leaves the evaluation as if it had not begun, and due.
        """
        self._evaluation_due, calls = True, self.evaluator.calls
        try:
            with self.stop.at_once():
                result = self.evaluator(self.agent)
                solved = result.solved and self.evaluator(self.agent).solved
        except KeyboardInterrupt:
            if self.stop.received is None:
                raise
            self.evaluator.calls = calls
            return
        self._evaluation_due = False
        best = self.best is None or result.score > self.best.score or (solved and self.solved_at is None)
        if best:
            self.best = result
            self._mind_folder()
            self.agent.save(self.folder / BEST)
        if solved and self.solved_at is None:
            self.solved_at = self.agent.steps
        self.logger.scalars(self.agent.steps, {"eval/mean_reward": result.mean, "eval/score": result.score})
        self.progress.evaluation(self.agent.steps, result, best, solved)

    # --- keeping
    # -----------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Begin a checkpoint of this moment; it is written while training goes on."""
        self.wait_for_checkpoint()
        self._mind_folder()
        self.checkpoints.save(self.get_state(), self.logger.files)

    def _mind_folder(self) -> None:
        if not self.folder.is_dir():
            self.progress.say(f"{self.folder} is gone: it is made again, without the logs so far")
            self.remake()

    def wait_for_checkpoint(self) -> None:
        """Return when the last checkpoint is durable, or say why it could not be written; the one before it
        then stays.
        """
        try:
            self.checkpoints.wait()
        except (OSError, ValueError, MemoryError) as problem:
            self.progress.say(
                f"the checkpoint could not be written: {problem}; the last one before it is kept"
            )

    def get_state(self) -> dict[str, Any]:
        """All that the next step depends on; arrays are not copied."""
        return {
            "agent": self.agent.get_state(),
            **self.source.get_state(),
            "logger": self.logger.get_state(),
            "evaluations": self.evaluator.calls,
            "evaluation_due": self._evaluation_due,
            "best": None if self.best is None else asdict(self.best),
            "solved_at": self.solved_at,
            "returns": np.array(self.returns),
            "lengths": np.array(self.lengths, np.int64),
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what get_state gave."""
        self._begun = True
        self.agent.set_state(state["agent"])
        self.evaluator.calls, self._evaluation_due = state["evaluations"], state["evaluation_due"]
        if state["best"] is not None and (self.folder / BEST).is_file():
            self.best = Evaluation(**state["best"])
        self.solved_at = state["solved_at"]
        self.returns, self.lengths = state["returns"].tolist(), state["lengths"].tolist()
        self.recent.extend(self.returns[-RECENT:])
        self.source.set_state(state)

    def summary(self) -> dict[str, Any]:
        """What the run reached, as plain values."""
        return {
            "steps": self.agent.steps,
            "episodes": len(self.returns),
            "solved_at": self.solved_at,
            "best_score": None if self.best is None else self.best.score,
            "best_mean_return": None if self.best is None or not len(self.best.returns) else self.best.mean,
        }
