"""One training run of an article, from settings to pictures: the library with a face."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nnlite.terminal import say
from rl.articles import module_of, program_of
from rl.command.notes import extra, note, printed_notes
from rl.command.settings import AgentSettings
from rl.command.text import fit
from rl.command.threads import use_threads
from rl.core.games import Games
from rl.envs.goals import MeanReturn
from rl.runs.evaluations import read_marks
from rl.runs.run import Run, open_run
from rl.runs.run_folder import BEGINS_AGAIN, BEST, describe_machine
from rl.training.algorithm import Algorithm
from rl.training.trainer import Trainer


@dataclass(frozen=True)
class Result:
    """The results of a run: its folder, the algorithm, and the Trainer with the figures."""

    folder: Path
    algorithm: Algorithm
    trainer: Trainer


def train(make: type[Algorithm], settings: AgentSettings) -> Result:
    """Train an agent, or resume a run; write its folder and say what was reached.

    Raises Interrupted, with the command that resumes it, when a signal stopped it; the checkpoint is then
    written.
    """
    with printed_notes():
        use_threads(settings.num_threads)
        algorithm = make(settings.env_id, settings=settings)
        with open_run(make.article, settings, algorithm.columns) as run:
            say(fit(header(algorithm, run.folder)))
            print_beginning(algorithm, run)
            try:
                trainer = algorithm.train_in(run, progress=True)
            finally:
                algorithm.close()
            say(outcome(trainer))
            draw(run.folder, algorithm, trainer)
            say(f"watch it:  {program_of(make.article)} --play {run.folder}")
            return Result(run.folder, algorithm, trainer)


def header(algorithm: Algorithm, folder: Path) -> str:
    """One line: article, environment, seed, kernels, threads, goal, folder."""
    settings, here = algorithm.settings, describe_machine()
    return (
        f"{module_of(algorithm.article)} on {settings.env_id}, seed {settings.seed}, "
        f"{here['kernels']} kernels, {here['threads']} threads, goal: {algorithm.goal.text}; folder {folder}"
    )


def print_beginning(algorithm: Algorithm, run: Run) -> None:
    """Say where a resumed run begins, and whether this one can go on in the middle of a game."""
    if not algorithm.source.restorable:
        what = algorithm.settings.env_id if isinstance(algorithm.source, Games) else "what actors play"
        note(f"{what} cannot be saved in the middle of a game; a resumed run starts new games")
    if run.saved:
        say(f"resumed at step {run.saved['agent']['steps']:,}")
    elif run.settings.resume:
        say(BEGINS_AGAIN)


def outcome(trainer: Trainer) -> str:
    """One line: solved or not, after how many steps and seconds, the best evaluation.

    An environment that has no goal is neither.
    """
    reached = trainer.summary()
    state = f"trained for {reached['steps']:,} steps"
    if trainer.solved_at is not None:
        state = f"solved after {trainer.solved_at:,} steps"
    elif trainer.evaluator.goal != MeanReturn():
        state = f"not solved in {reached['steps']:,} steps"
    best = f"best evaluation: score {trainer.best.score:.4g}" if trainer.best is not None else ""
    if reached["best_mean_return"] is not None:
        best += f", mean return {reached['best_mean_return']:.2f}"
    return f"{state}, {reached['seconds']:.1f} s; {best}"


def draw(folder: Path, algorithm: Algorithm, trainer: Trainer) -> None:
    """Draw the curve of returns, and record games of the best model; what fails is left out."""
    settings = algorithm.settings
    with extra("no reward.png"):
        from rl.watch.plots import plot_rewards  # Matplotlib

        title = f"{module_of(algorithm.article)} on {settings.env_id}"
        marks, goal = read_marks(folder, "episodes"), trainer.summary()["goal_return"]
        plot_rewards(folder / "reward.png", trainer.returns, title, marks, goal)
    with extra("no replay"):
        from rl.watch.play import record  # Matplotlib and Pillow

        if (folder / BEST).is_file():
            algorithm.agent.load(folder / BEST)
        record(folder, algorithm.agent, algorithm.make_stage, settings.env_id)
