"""Watching a trained agent: a short recording after every run, and `--play`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from rl.core import cli, run_folder
from rl.core.agent import Agent
from rl.core.animation import LONGEST, Recording, recording, write_gif, write_html
from rl.core.seeding import streams
from rl.core.settings import AgentSettings
from rl.core.stage import CannotRenderError, Stage, watch

S = TypeVar("S", bound=AgentSettings)
GAMES, STEPS = 2, 300  # of the recording after a run: a second of work
PLAYED_GAMES, PLAYED_STEPS = 5, 1200  # of --play without a screen


def record(folder: Path, agent: Agent, settings: AgentSettings) -> None:
    """Write replay.gif and replay.html of greedy games into the run's folder; say so when the environment has no pictures."""
    try:
        stage = Stage(settings.env_id, settings.max_episode_steps, streams(settings.seed).evaluation)
    except CannotRenderError as problem:
        print(f"no replay: {str(problem).splitlines()[0]}")
        return
    write(folder, filmed(stage, agent, f"A trained agent on {settings.env_id}", GAMES, STEPS))
    stage.close()


def filmed(stage: Stage, agent: Agent, title: str, games: int, steps: int) -> Recording:
    """Up to so many greedy games and steps; of large pictures, which are slow to paint, every second one."""
    every = 2 if max(stage.size) > LONGEST else 1
    return recording(watch(stage, agent, games, steps, every), stage.fps // every, stage.actions, title, agent.measure)


def write(folder: Path, recorded: Recording) -> None:
    """replay.gif and replay.html."""
    write_gif(folder / "replay.gif", recorded)
    write_html(folder / "replay.html", recorded)


def play_run(article: str, settings: S, settings_class: type[S], make_agent: Callable[..., Agent]) -> None:
    """Show greedy games of a run's best model, in a window or, without a screen, as files in the run's folder.

    settings.play  the run: "newest" or a folder; another env_id than the article's means the newest run on that one
    """
    env_id = settings.env_id if settings.env_id != settings_class().env_id else None
    folder = run_folder.find(settings.out, article, settings.play, env_id)
    trained = replace(settings, **cli.read_config(str(folder / "config.json"), settings_class))
    stage = Stage(trained.env_id, trained.max_episode_steps, streams(settings.seed).evaluation)
    agent = make_agent(stage.envs.single_observation_space, stage.envs.single_action_space, trained, streams(trained.seed))
    agent.load(folder / "best.safetensors")
    print(f"rl.{article} on {trained.env_id}, the best model of {folder}")
    recorded = filmed(stage, agent, f"rl.{article} on {trained.env_id}", PLAYED_GAMES, PLAYED_STEPS)
    stage.close()
    for moment in recorded.moments:
        if moment.action < 0:
            print(f"Get reward {moment.score}.")
    write(folder, recorded)
    print(f"no screen: see {folder / 'replay.gif'} or open {folder / 'replay.html'} in a browser")
