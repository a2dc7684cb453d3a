"""Runs articles in new processes and stops them by real signals: `python segments.py JSON`, a list of jobs.

    article, argv   the command
    stop_at         step at which it gets `signal`, default SIGINT; of the simulators a piece of work
    piece           size of such a piece
    in_evaluation   number of the evaluation in which the signal comes
    remove, limit   in place of the signal, the run's folder is removed, or files may not exceed `limit` bytes

Prints the exit codes as JSON in the last line. Processes are forked where that exists: imports take longest.
"""

import importlib
import json
import multiprocessing
import os
import shutil
import signal
import sys
from typing import Any


def work(job: dict[str, Any]) -> None:
    """One process: the article's main, stopped where the job says so."""
    from rl.articles import COMMANDS
    from rl.core.evaluation import Evaluator
    from rl.training import train
    from rl.training.trainer import Trainer

    train.draw = lambda *_: None  # plots, pictures and times are not the question here
    summary = Trainer.summary
    Trainer.summary = lambda self: {**summary(self), "seconds": 0.0}
    number = getattr(signal, job.get("signal", "SIGINT"))
    note, evaluate = Trainer._note, Evaluator.__call__
    if job.get("stop_at") is not None:

        def stopping(self, played):
            note(self, played)
            if self.agent.steps >= job["stop_at"] and self.stop.received is None:
                happen(self)

        def happen(self):
            if job.get("remove") and not done:
                while self.run.folder.exists():  # again, where a checkpoint is just being written into it
                    shutil.rmtree(self.run.folder, ignore_errors=True)
            elif job.get("limit") is not None and not done:
                import resource

                resource.setrlimit(resource.RLIMIT_FSIZE, (job["limit"], job["limit"]))
            elif not done:
                signal.raise_signal(number)
            done.append(True)

        done: list[bool] = []
        Trainer._note = stopping
    if job.get("in_evaluation") is not None:

        def interrupted(self: Any, agent: Any, to_the_end: bool = False) -> Any:
            if self.calls == job["in_evaluation"]:
                greedy = agent.greedy

                def signalled(observations: Any) -> Any:
                    signal.raise_signal(number)
                    return greedy(observations)

                agent.greedy = signalled
            return evaluate(self, agent)

        Evaluator.__call__ = interrupted
    if job.get("piece"):
        in_small_pieces(job, number)
    sys.argv = [job["article"], *job["argv"]]
    code = importlib.import_module(COMMANDS[job["article"]]).main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def in_small_pieces(job: dict[str, Any], number: int) -> None:
    """Let bandit or maze work in pieces of this size, and the signal come after one of them."""
    from rl.bandit import tally
    from rl.maze import progress

    tally.PLAYS_AT_ONCE = progress.FIRST_PIECE = job["piece"]
    progress.SHORT, progress.LONG = -1.0, float("inf")
    report: Any = importlib.import_module(f"rl.{job['article']}.command")
    whole = report.run_pieces

    def stopping(article, folder, pieces, *rest):
        def some():
            for index, _ in enumerate(pieces, 1):
                if index == job.get("stop_at"):
                    signal.raise_signal(number)
                yield

        whole(article, folder, some(), *rest)

    report.run_pieces = stopping


def main() -> None:
    """Run the jobs one after the other."""
    jobs = json.loads(sys.argv[1])
    forks = sys.platform.startswith("linux")
    if forks:
        import tyro  # noqa: F401

        from rl.articles import COMMANDS
        from rl.core.observer import make_observed
        from rl.runs.logger import import_summary_writer

        import_summary_writer()

        for env_id in ("CartPole-v0", "rl/Catcher-v0"):  # their compiled code is loaded at the first step
            envs = make_observed(env_id, 1, 2)
            envs.reset(seed=0)
            envs.step(envs.action_space.sample())
        for article in {job["article"] for job in jobs}:
            importlib.import_module(COMMANDS[article])
    context: Any = multiprocessing.get_context("fork" if forks else "spawn")
    codes = []
    for job in jobs:
        process = context.Process(target=work, args=(job,))
        process.start()
        process.join()
        codes.append(process.exitcode)
    print(json.dumps(codes))


if __name__ == "__main__":
    main()
