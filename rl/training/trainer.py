"""Trainer: the loop of every agent (rl.core.games), and around it what no article should repeat.

That is episode statistics, progress, logging, evaluation, the best model, stopping, checkpoints. It has no
hooks to override: the agent decides in its own `observe` when it learns.

A run is saved between two turns only, when everything that is saved fits together. `get_state` holds all that
the next turn depends on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from rl.command.doubts import find_doubts
from rl.command.notes import note
from rl.command.settings import AgentSettings
from rl.core.agent import Agent, Metrics
from rl.core.evaluation import Evaluation, Evaluator
from rl.core.games import Episode, Source, Turn
from rl.envs.goals import MeanReturn
from rl.runs.run import Run
from rl.runs.run_folder import BEST
from rl.runs.signals import Interrupted, StopSignals
from rl.training.due import SaveClock, crossed
from rl.training.progress import Progress

LOG_ROWS = 100  # rows of progress.csv in a run
RECENT = 100  # episodes of the mean return that is shown
COLUMNS = ("time/total_timesteps", "time/fps", "time/episodes", "rollout/ep_rew_mean", "rollout/ep_len_mean")


class Event(NamedTuple):
    """The news for a callback of `learn`: a turn of the loop, or an evaluation."""

    steps: int  # environment steps so far
    metrics: Metrics | None = None  # of the last update in this turn
    episodes: tuple[Episode, ...] = ()  # games that ended in it
    evaluation: Evaluation | None = None


Callback = Callable[[Event], bool | None]  # False stops the run


class Trainer:
    """Trains an agent on what a source plays.

    evaluator  judges the agent every `eval_freq` steps
    settings   total_timesteps, eval_freq, save_freq, keep_going
    run        where logs, checkpoints and the best model go; None: nowhere
    """

    def __init__(
        self,
        agent: Agent,
        source: Source,
        evaluator: Evaluator,
        settings: AgentSettings,
        progress: Progress,
        run: Run | None = None,
        callback: Callback | None = None,
    ) -> None:
        self.agent, self.source, self.evaluator, self.settings = agent, source, evaluator, settings
        self.progress, self.run, self.callback = progress, run, callback
        self.stop, self.clock = StopSignals(), SaveClock(settings.save_freq)
        self.log_freq = max(settings.total_timesteps // LOG_ROWS, source.stride)
        self.returns: list[float] = []  # of every finished training game
        self.lengths: list[int] = []
        self.recent: deque[float] = deque(maxlen=RECENT)
        self.best: Evaluation | None = None
        self.solved_at: int | None = None
        self.stopped = self._evaluation_due = False  # stopped by the callback
        self.seconds_before = 0.0  # of training, before the run was resumed
        if run is not None:
            run.say = progress.say
            if run.saved is not None:
                self.seconds_before = run.saved["logger"]["seconds"]
                self.set_state(run.saved)
        for doubt in find_doubts(settings) if agent.steps == 0 else ():
            self.tell(doubt)
        progress.start(agent.steps)

    @property
    def finished(self) -> bool:
        """Nothing is left to do: the last step is done, the environment solved, or the callback said stop."""
        if self.agent.steps >= self.settings.total_timesteps or self.stopped:
            return True
        return self.solved_at is not None and not self.settings.keep_going

    def train(self) -> None:
        """Play and learn until the last step, or until the environment is solved.

        A signal stops it after the turn that is under way: it writes the checkpoint and raises Interrupted.
        """
        agent, settings = self.agent, self.settings
        with self.stop:
            if self._evaluation_due:
                self._evaluate()
            turns = self.source.play(agent)
            while not self.finished and self.stop.received is None:
                before = agent.steps
                self._note(next(turns))
                if crossed(before, agent.steps, self.log_freq):
                    self._log()
                if crossed(before, agent.steps, settings.eval_freq):
                    self._evaluate()
                if self.run and self.clock.is_due(before, agent.steps) and not self.run.checkpoints.busy:
                    self.save()
            self.save()
            if self.run and self.stop.received is None and (self.best is None or self.solved_at is None):
                self._evaluate()
            if self.stop.received is not None:
                self.wait_for_checkpoint()
                raise Interrupted(self.stop.received)
            self._log()

    def _note(self, turn: Turn) -> None:
        """Count the games that ended; show, log, and hand on the turn."""
        metrics, episodes, message = turn
        for episode in episodes:
            self._note_episode(episode)
        if metrics and self.run is not None:
            self.run.logger.add_metrics(metrics)
        if message:
            self.tell(message)
        self.progress.step(self.agent.steps, self.recent, self.agent.status)
        if self.callback is not None:
            self._call(Event(self.agent.steps, metrics, tuple(episodes)))

    def tell(self, line: str) -> None:
        """Print a line, or warn where nothing is printed."""
        note(line) if self.progress.quiet else self.progress.say(f"note: {line}")

    def _note_episode(self, episode: Episode) -> None:
        """Count a finished game."""
        self.returns.append(episode.total)
        self.lengths.append(episode.length)
        self.recent.append(episode.total)
        self.progress.episode(self.returns)
        if self.run is not None:
            self.run.logger.add_episode(episode.total, episode.length)

    def _call(self, event: Event) -> None:
        """Hand an event to the user's callback."""
        if self.callback is not None and self.callback(event) is False:
            self.stopped = True

    def _log(self) -> None:
        """Write a row of progress.csv, and the same for TensorBoard."""
        if self.run is None:
            return
        values = {"time/fps": self.progress.rate(), "time/episodes": float(len(self.returns))}
        values |= {**self.agent.status(), **self.source.status()}
        if self.recent:
            values["rollout/ep_rew_mean"] = float(np.mean(self.recent))
            values["rollout/ep_len_mean"] = float(np.mean(self.lengths[-RECENT:]))
        self.run.logger.write_row(self.agent.steps, values)
        for name, numbers in self.agent.distributions().items():
            self.run.logger.write_histogram(self.agent.steps, name, numbers)
        self.run.logger.write_image(self.agent.steps, "rollout/observation", self.source.screens())

    def _evaluate(self) -> None:
        """Judge the agent and keep it if it is the best so far; it is solved when it is so twice, on fresh
        games.

        A signal leaves the evaluation due, as if it had not begun.
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
        first = solved and self.solved_at is None
        best = self.best is None or result.score > self.best.score or first
        if best:
            self.best = result
        if first:
            self.solved_at = self.agent.steps
        if self.run is not None:
            if best:
                self.run.save_model(self.agent, BEST)
            by_mean = isinstance(self.evaluator.goal, MeanReturn)
            self.run.logger.add_evaluation(self.agent.steps, len(self.returns), result, first, by_mean)
        self.progress.evaluation(self.agent.steps, result, best, solved)
        self._call(Event(self.agent.steps, evaluation=result))

    def save(self) -> None:
        """Begin a checkpoint of this moment; it is written while training goes on."""
        if self.run is not None:
            self.wait_for_checkpoint()
            self.run.save_state(self.get_state())
            self.clock.restart()

    def wait_for_checkpoint(self) -> None:
        """Return when the last checkpoint is durable, or say why it could not be written; the one before it
        stays.
        """
        try:
            if self.run is not None:
                self.run.checkpoints.wait()
        except (OSError, ValueError, MemoryError) as problem:
            self.progress.say(
                f"the checkpoint could not be written: {problem}; the last one before it is kept"
            )

    def get_state(self) -> dict[str, Any]:
        """Return all that the next turn depends on; arrays are not copied."""
        return {
            "agent": self.agent.get_state(),
            **self.source.get_state(),
            "evaluations": self.evaluator.calls,
            "evaluation_due": self._evaluation_due,
            "best": None if self.best is None else asdict(self.best),
            "solved_at": self.solved_at,
            "returns": np.array(self.returns),
            "lengths": np.array(self.lengths, np.int64),
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` gave."""
        self.agent.set_state(state["agent"])
        self.evaluator.calls, self._evaluation_due = state["evaluations"], state["evaluation_due"]
        if state["best"] is not None and self.run is not None and (self.run.folder / BEST).is_file():
            self.best = Evaluation(**state["best"])
        self.solved_at = state["solved_at"]
        self.returns, self.lengths = state["returns"].tolist(), state["lengths"].tolist()
        self.recent.extend(self.returns[-RECENT:])
        self.source.set_state(state, self.agent)

    def summary(self) -> dict[str, Any]:
        """Return the figures of the run, the plain values of result.json."""
        return {
            "steps": self.agent.steps,
            "episodes": len(self.returns),
            "solved_at": self.solved_at,
            "goal_return": getattr(self.evaluator.goal, "threshold", None),
            "best_score": None if self.best is None else self.best.score,
            "best_mean_return": None if self.best is None or not len(self.best.returns) else self.best.mean,
            "seconds": round(self.seconds_before + self.progress.seconds(), 3),
        }
