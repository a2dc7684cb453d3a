"""One training run from settings to results: what all agent articles do alike around their agent."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from gymnasium import spaces
from gymnasium.vector import VectorEnv

from rl.command import cli
from rl.command.settings import ActorSettings, AgentSettings
from rl.core.agent import Agent
from rl.core.evaluation import Evaluator
from rl.core.games import Games, Source
from rl.core.observer import make_observed
from rl.core.seeding import Streams, streams
from rl.envs.goals import goal_of
from rl.envs.make import actions_of
from rl.runs import resume, run_folder
from rl.runs.checkpoint import Checkpoints
from rl.runs.lock import only_here
from rl.runs.logger import Logger
from rl.runs.signals import Interrupted
from rl.training.progress import Progress
from rl.training.trainer import BEST, Trainer

MakeAgent = Callable[[spaces.Space[Any], spaces.Discrete, Any, Streams], Agent]
COLUMNS = ("time/total_timesteps", "time/fps", "time/episodes", "rollout/ep_rew_mean", "rollout/ep_len_mean")


@dataclass(frozen=True)
class Result:
    """What a run leaves: its folder and what the Trainer's summary says."""

    folder: Path
    trainer: Trainer
    seconds: float


def command(
    article: str,
    settings_class: type[AgentSettings],
    make_agent: MakeAgent,
    metrics: tuple[str, ...],
    summary: str,
    examples: tuple[str, ...],
    presets: dict[str, dict[str, Any]],
) -> int:
    """The `main` of an agent's article; returns the exit code."""

    def run(settings: AgentSettings) -> None:
        if settings.play:
            from rl.watch.play import play_run

            play_run(article, settings, settings_class, make_agent)
        else:
            train(article, settings, make_agent, metrics)

    def arguments(words: list[str]) -> list[str]:
        preset = presets.get("test", {}) if "--test" in words else {}
        return resume.with_its_settings(article, words, settings_class().out, preset.get("env_id"))

    return cli.main(
        article, settings_class, run, summary=summary, examples=examples, presets=presets, arguments=arguments
    )


def train(article: str, settings: AgentSettings, make_agent: MakeAgent, metrics: tuple[str, ...]) -> Result:
    """Train one agent, or go on with a run, write its run folder, say what was reached.

    Raises Interrupted, with the command that goes on, when a signal stopped it; the checkpoint is then
    written.
    """
    rngs = streams(settings.seed)
    envs = make_observed(settings.env_id, settings.num_envs, settings.max_episode_steps)
    agent = make_agent(envs.single_observation_space, actions_of(envs), settings, rngs)
    source = source_of(article, settings, agent, envs, rngs)
    goal = goal_of(settings.env_id)
    evaluator = Evaluator(
        lambda n: make_observed(settings.env_id, n, settings.max_episode_steps),
        settings.eval_episodes,
        goal,
        rngs.evaluation,
    )
    folder = (
        Path(settings.resume)
        if settings.resume
        else run_folder.create(settings.out, article, settings.env_id, settings.seed, asdict(settings))
    )
    with only_here(folder):
        return _train_in(folder, article, settings, metrics, agent, source, evaluator)


def _train_in(
    folder: Path,
    article: str,
    settings: AgentSettings,
    metrics: tuple[str, ...],
    agent: Agent,
    source: Source,
    evaluator: Evaluator,
) -> Result:
    checkpoints, saved = resume.load(folder, settings) if settings.resume else (Checkpoints(folder), None)
    print(header(article, settings, folder, goal_of(settings.env_id).text), flush=True)
    if not source.restorable:
        what = settings.env_id if isinstance(source, Games) else "what actors play"
        print(
            f"note: {what} cannot be saved in the middle of a game; a resumed run starts new games",
            flush=True,
        )
    steps, seconds = (saved["agent"]["steps"], saved["logger"]["seconds"]) if saved else (0, 0.0)
    logger = Logger(
        folder, settings.env_id, COLUMNS + source.columns + metrics, saved["logger"] if saved else None
    )
    progress = Progress(settings.total_timesteps, steps)
    trainer = Trainer(
        agent,
        source,
        evaluator,
        logger,
        progress,
        folder,
        total_timesteps=settings.total_timesteps,
        eval_freq=settings.eval_freq,
        keep_going=settings.keep_going,
        save_freq=settings.save_freq,
        checkpoints=checkpoints,
        remake=lambda: run_folder.remake(folder, article, asdict(settings)),
    )
    try:
        if saved:
            trainer.set_state(saved)
            progress.say(f"resumed at step {steps:,}")
        trainer.train()
    except Interrupted as stop:
        raise Interrupted(stop.number, resume.stopped(article, f"{agent.steps:,} steps", folder)) from None
    finally:
        progress.close()
        logger.close()
        source.close()
    agent.save(folder / "last.safetensors")
    seconds += progress.seconds()
    finish(article, settings, agent, trainer, folder, seconds)
    trainer.wait_for_checkpoint()
    evaluator.close()
    return Result(folder, trainer, seconds)


def source_of(article: str, settings: AgentSettings, agent: Agent, envs: VectorEnv, rngs: Streams) -> Source:
    """These games, or actors elsewhere that play others like them; raises UsageError when the latter cannot
    be.
    """
    if not isinstance(settings, ActorSettings) or not settings.actors:
        return Games(agent, envs, rngs.environment)
    from rl.actors.actor import ReplayAgent
    from rl.actors.fleet import Fleet

    envs.close()
    return Fleet(cast(ReplayAgent, agent), f"rl.{article}:{type(agent).__name__}", settings)


def header(article: str, settings: AgentSettings, folder: Path, goal: str) -> str:
    """One line: what, environment, seed, kernels, threads, folder."""
    machine = run_folder.machine()
    return (
        f"rl.{article} on {settings.env_id}, seed {settings.seed}, {machine['kernels']} kernels, "
        f"{machine['threads']} threads, "
        f"goal: {goal}; folder {folder}"
    )


def finish(
    article: str, settings: AgentSettings, agent: Agent, trainer: Trainer, folder: Path, seconds: float
) -> None:
    """Plot, animate, and say what was reached and how to see it."""
    from rl.watch.play import record
    from rl.watch.plots import reward_plot

    reached = {**trainer.summary(), "seconds": round(seconds, 3)}
    run_folder.write_json(folder / "result.json", reached)
    reward_plot(folder / "reward.png", trainer.returns, f"rl.{article} on {settings.env_id}")
    best = "" if trainer.best is None else f"best evaluation: score {trainer.best.score:.4g}"
    if trainer.best is not None and len(trainer.best.returns):
        best += f", mean return {trainer.best.mean:.2f}"
    state = (
        f"solved after {trainer.solved_at:,} steps"
        if trainer.solved_at is not None
        else f"not solved in {agent.steps:,} steps"
    )
    print(f"{state}, {seconds:.1f} s; {best}")
    if (folder / BEST).is_file():
        agent.load(folder / BEST)
    record(folder, agent, settings)
    print(f"watch it:  {Path(sys.executable).name} -m rl.{article} --play {folder}")
