"""Checks for NaN, infinity and wrong shapes before a weight can learn from them.

Observations and rewards are checked in every step, the loss in every update. The optimizer checks the
gradient. One dot product tells whether all numbers are finite; only if they are not, the bad one is searched.
"""

from __future__ import annotations

import math

import numpy as np

from nnlite import Sequential
from nnlite.arrays import Array


def check_step(
    observations: Array, rewards: Array, terminated: Array, truncated: Array, games: int, step: int
) -> None:
    """Check the shapes and numbers that one step of N games returned.

    observations  (N, ...); rewards, terminated, truncated  (N,)
    games, step   N, and the number of environment steps before this one, for the message

    Raises ValueError for another shape, FloatingPointError for NaN or infinity.
    """
    if not (rewards.shape == terminated.shape == truncated.shape == (games,) == observations.shape[:1]):
        raise ValueError(
            f"{games} games gave observations {observations.shape}, rewards {rewards.shape}, "
            f"terminated {terminated.shape}, truncated {truncated.shape}\n"
            "  an environment must give one of each for every game"
        )
    if not math.isfinite(np.vdot(rewards, rewards)):
        refuse("reward", rewards, step)
    check_observations(observations, step)


def check_observations(observations: Array, step: int) -> None:
    """Raise FloatingPointError when an observation holds NaN or infinity; see check_step."""
    if observations.dtype.kind == "f" and not math.isfinite(np.vdot(observations, observations)):
        refuse("observation", observations, step)


def refuse(what: str, values: Array, step: int) -> None:
    """Raise FloatingPointError for the first game whose value is not finite.

    Returns if all values are finite: the square of a large number can be infinite by itself.
    """
    bad = ~np.isfinite(np.asarray(values, np.float64))
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        inside = f", element {place[1:]}" if len(place) > 1 else ""
        raise FloatingPointError(
            f"the {what} of game {place[0]}{inside} is {values[place]} after environment step {step:,}; "
            "no weight was changed\n"
            "  look at what the environment returns"
        )


def check_loss(loss: float, **causes: Array) -> None:
    """Raise FloatingPointError unless the loss is finite. Call it before the backward pass.

    causes  arrays from which the loss was computed, for example target=(B,); the message names the bad ones
    """
    if not math.isfinite(loss):
        bad = [name for name, values in causes.items() if not np.isfinite(values).all()]
        raise FloatingPointError(
            f"the loss is {loss}" + (f", because {' and '.join(bad)} is not finite" if bad else "")
        )


def locate(problem: FloatingPointError, model: Sequential, step: int) -> FloatingPointError:
    """Add to an update's error the environment step, and the weights and gradients that are not finite."""
    weights = [(f"{layer.name}/{weight.name}", weight) for layer in model.layers for weight in layer.weights]
    bad = [f"weight {name}" for name, weight in weights if not np.isfinite(weight.value).all()]
    bad += [
        f"gradient of {name}"
        for name, weight in weights
        if weight.trainable and not np.isfinite(weight.gradient).all()
    ]
    where = f" ({', '.join(bad[:3])}{' and more' if len(bad) > 3 else ''})" if bad else ""
    return FloatingPointError(
        f"{problem}{where} at environment step {step:,}; no weight was changed by it\n"
        "  a smaller --learning-rate often helps; --resume continues from the last checkpoint"
    )
