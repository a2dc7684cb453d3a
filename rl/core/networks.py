"""The articles' networks: dense for vectors, the DQN trunk for screens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces

from nnlite import Sequential
from nnlite.layer import Layer
from nnlite.layers import Conv2D, Dense, Flatten, Rescaling
from rl.command.errors import UsageError, require

SMALLEST_SCREEN = 8  # the first kernel's side


MakeNetwork = Callable[[tuple[int, ...], int, np.random.Generator], Sequential]  # shape, outputs, rng


def make_network(
    observations: spaces.Space[Any],
    outputs: int,
    hidden: tuple[int, ...],
    rng: np.random.Generator,
    own: MakeNetwork | None = None,
) -> Sequential:
    """Build a network for these observations with `outputs` columns.

    Vectors (D,) get Dense layers of `hidden` units with relu. Stacks of screens (H, W, C) of bytes get the
    articles' trunk: Conv 32@8x8/4, 64@4x4/2, 64@3x3/1, all "same" and relu, then Dense 256. Weights are drawn
    by glorot_normal; the output is linear.

    own  makes another one in its place, from the shape of an observation, `outputs` and the generator to draw
         from

    Raises UsageError for observations that no network here reads, and for an own network that does not fit.
    """
    shape = observation_shape(observations)
    require(
        isinstance(observations, spaces.Box),
        f"observations are {observations}",
        "wrap them into a Box of numbers",
    )
    if own is not None:
        function = callable(own) and not isinstance(own, Sequential)
        require(
            function, f"network is {type(own).__name__}", "give a function that makes an nnlite.Sequential"
        )
        return check_own(own(shape, outputs, rng), shape, outputs)
    if len(shape) == 3:
        require(
            observations.dtype == np.uint8,
            f"screens are {observations.dtype}, not bytes",
            "show them as uint8, 0 to 255",
        )
        layers = screen_trunk(shape)
    else:
        require(
            all(units >= 1 for units in hidden),
            f"the hidden layers have {hidden} units",
            "give --hidden whole numbers >= 1",
        )
        require(len(shape) == 1, f"observations have shape {shape}", "use vectors (D,) or screens (H, W, C)")
        layers = [Dense(units, activation="relu", kernel_initializer="glorot_normal") for units in hidden]
    layers.append(Dense(outputs, kernel_initializer="glorot_normal"))
    return Sequential(layers, seed=rng).build(shape)


def check_own(model: Any, shape: tuple[int, ...], outputs: int) -> Sequential:
    """Build a user's network; raises UsageError unless it turns observations of this shape into `outputs`
    columns.
    """
    require(
        isinstance(model, Sequential), f"network made {type(model).__name__}", "return an nnlite.Sequential"
    )
    try:
        model.build(shape)
    except (ValueError, TypeError) as problem:
        raise UsageError(
            f"the network does not read observations {shape}: {problem}", "change its layers"
        ) from None
    remedy = f"end it in Dense({outputs})"
    require(
        model.output_shape == (outputs,), f"the network gives {model.output_shape}, not ({outputs},)", remedy
    )
    return model


def screen_trunk(shape: tuple[int, ...]) -> list[Layer]:
    """Bytes (H, W, C) -> 256 features."""
    require(
        min(shape[:2]) >= SMALLEST_SCREEN,
        f"an image of {shape[0]}x{shape[1]} is too small for the network",
        f"give images of at least {SMALLEST_SCREEN}x{SMALLEST_SCREEN} pixels",
    )
    return [
        Rescaling(1 / 255),
        Conv2D(32, 8, 4, "same", activation="relu", kernel_initializer="glorot_normal"),
        Conv2D(64, 4, 2, "same", activation="relu", kernel_initializer="glorot_normal"),
        Conv2D(64, 3, 1, "same", activation="relu", kernel_initializer="glorot_normal"),
        Flatten(),
        Dense(256, activation="relu", kernel_initializer="glorot_normal"),
    ]


def observation_shape(observations: spaces.Space[Any]) -> tuple[int, ...]:
    """(D,) or (H, W, C) of what the network reads."""
    return tuple(observations.shape or ())
