"""The command of an agent's article: train, or show what was trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rl.envs.given import defaults_for
from rl.runs import resume
from rl.training.algorithm import Algorithm
from rl.training.train import train


def run(
    algorithm: type[Algorithm],
    summary: str,
    examples: tuple[str, ...],
    presets: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Do what the arguments of `python -m rl.ARTICLE` ask for.

    presets  {"test": {...}}: the defaults that the flag --test brings
    """
    make = algorithm.settings_class
    settings = resume.parse(algorithm.article, make, summary, examples, presets)
    if not settings.resume and (fitting := defaults_for(make, settings.env_id)):
        settings = resume.parse(algorithm.article, make, summary, examples, presets, defaults=make(**fitting))
    settings.validate()
    if settings.play:
        from rl.watch.play import play_run  # Matplotlib and Pillow

        play_run(algorithm, settings)
    else:
        train(algorithm, settings)
