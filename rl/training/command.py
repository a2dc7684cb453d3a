"""The command of an agent's article: train, or show what was trained."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from nnlite.terminal import say
from rl.articles import module_of
from rl.command.config import read_settings
from rl.command.errors import UsageError
from rl.command.settings import NEWEST, AgentSettings
from rl.envs.given import defaults_for
from rl.runs import resume
from rl.runs.run_folder import BEST, find
from rl.training.algorithm import Algorithm
from rl.training.train import train


def run(
    algorithm: type[Algorithm],
    summary: str,
    examples: tuple[str, ...],
    presets: Mapping[str, Mapping[str, Any]] | None = None,
    argv: list[str] | None = None,
) -> None:
    """Do what the arguments of `python -m rl.ARTICLE` ask for.

    presets  {"test": {...}}: the defaults that the flag --test brings
    argv     the words behind the program; None for those of this process
    """
    make = algorithm.settings_class
    read = partial(resume.parse, algorithm.article, make, summary, examples, presets, argv=argv)
    settings = read()
    if not settings.resume and (fitting := defaults_for(make, settings.env_id)):
        settings = read(defaults=make(**fitting))
    settings.validate()
    if settings.play:
        show(algorithm, settings, resume.named_env_id(read, make))
    else:
        train(algorithm, settings)


def show(algorithm: type[Algorithm], settings: AgentSettings, env_id: str | None = None) -> None:
    """Play games of a run's best model.

    settings.play  the run: "newest" or a folder
    env_id         with "newest": the newest run on this environment; None for any

    Raises UsageError when there is no such run, or its environment cannot be shown.
    """
    make = algorithm.settings_class
    folder = find(algorithm.article, settings.out, settings.play, BEST, env_id)
    trained = make(**read_settings(folder, make))
    player = algorithm(trained.env_id, settings=trained)
    try:
        player.agent.load(folder / BEST)
    except (ValueError, OSError) as problem:
        raise UsageError(str(problem), "play another run, or train a new one") from None
    say(f"{module_of(algorithm.article)} on {trained.env_id}, the best model of {folder}")
    if settings.play == NEWEST and env_id is None and trained.env_id != make().env_id:
        own = f"--play --env-id {make().env_id}"
        say(f"this is the newest run; {own} shows the newest on it, --play RUN any other")
    player.play(folder, settings.seed)
    player.close()
