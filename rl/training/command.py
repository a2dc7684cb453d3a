"""The command of an agent's article: train, or show what was trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    settings = resume.parse(algorithm.article, algorithm.settings_class, summary, examples, presets)
    if settings.play:
        from rl.watch.play import play_run  # Matplotlib and Pillow

        play_run(algorithm, settings)
    else:
        train(algorithm, settings)
