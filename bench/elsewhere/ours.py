"""A run of one of our agents, as a user gets it from Python: its defaults, nothing else."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import rl
from bench.elsewhere.task import (
    EVAL_GAMES,
    FINAL_GAMES,
    FINAL_SEED,
    Record,
    Task,
    mean,
    processor_seconds,
    versions,
)
from rl.runs.run_folder import BEST, RESULT
from rl.training.trainer import Event


def run(task: Task) -> Record:
    """Make the run; returns its figures. The run's folder is thrown away."""
    start = processor_seconds()
    judged = {"eval_freq": task.eval_freq, "eval_episodes": EVAL_GAMES}
    agent = getattr(rl, task.agent)(task.env_id, seed=task.seed, num_threads=1, **judged)
    budget = agent.settings.total_timesteps
    means: list[float | None] = []

    def note(event: Event) -> None:
        if event.evaluation is not None:
            means.append(mean(event.evaluation))

    with tempfile.TemporaryDirectory() as out:
        agent.learn(budget, callback=note, run=out)
        end = processor_seconds()
        (folder,) = (path.parent for path in Path(out).rglob(RESULT))
        result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        best = result["best_mean_return"]
        fresh = rl.load(folder / BEST, env=task.env_id).evaluate(FINAL_GAMES, FINAL_SEED + task.seed)
    return Record(
        solved=result["solved_at"] is not None,
        steps_to_solved=result["solved_at"],
        steps=result["steps"],
        budget=budget,
        best_mean_return=best and round(best, 4),
        last_mean_return=means[-1],
        mean_return=mean(fresh),
        seconds=round(end, 2),
        learning_seconds=round(end - start, 2),
        versions=versions("nnlite-rl"),
    )
