"""The articles' networks: dense for vectors, the DQN trunk for screens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces

from nnlite import Sequential
from nnlite.layers import Conv2D, Dense, Flatten, Layer, Rescaling
from nnlite.saving import loadable_config
from rl.command.errors import UsageError, require

SMALLEST_SCREEN = 8  # side of the first kernel

MakeNetwork = Callable[[tuple[int, ...], int, np.random.Generator], Sequential]  # shape, outputs, rng


def make_network(
    observations: spaces.Space[Any],
    outputs: int,
    hidden: tuple[int, ...],
    rng: np.random.Generator,
    own: MakeNetwork | None = None,
    activation: str = "relu",
) -> Sequential:
    """Build a network for these observations with `outputs` columns.

    Vectors (D,) get Dense layers of `hidden` units with this activation. Stacks of screens (H, W, C) of bytes
    get the articles' trunk: Conv 32@8x8/4, 64@4x4/2, 64@3x3/1, all "same" and relu, then Dense 256. Weights
    are drawn by glorot_normal; the output is linear.

    own  makes another network: (shape of an observation, `outputs`, generator for its weights) -> Sequential

    Raises UsageError for observations that the network cannot read, and if `own` makes one that does not fit.
    """
    shape = observation_shape(observations)
    is_box = isinstance(observations, spaces.Box)
    require(
        is_box, f"observations are {observations}", "wrap the environment so that it shows a Box of numbers"
    )
    if own is not None:
        is_function = callable(own) and not isinstance(own, Sequential)
        what = f"network is {type(own).__name__}"
        require(is_function, what, "give a function that makes an nnlite.Sequential")
        return check_own(own(shape, outputs, rng), shape, outputs)
    layers = screen_trunk(observations) if len(shape) == 3 else vector_trunk(shape, hidden, activation)
    layers.append(Dense(outputs, kernel_initializer="glorot_normal"))
    return Sequential(layers, seed=rng).build(shape)


def check_own(model: Any, shape: tuple[int, ...], outputs: int) -> Sequential:
    """Build a user's network for observations of this shape.

    Raises UsageError if it cannot read them, or does not have `outputs` columns.
    """
    what = f"network made {type(model).__name__}"
    require(isinstance(model, Sequential), what, "return an nnlite.Sequential")
    try:
        model.build(shape)
    except (ValueError, TypeError) as problem:
        what = f"the network does not read observations {shape}: {problem}"
        raise UsageError(what, "change its layers") from None
    what = f"the network gives {model.output_shape}, not ({outputs},)"
    require(model.output_shape == (outputs,), what, f"end it in Dense({outputs})")
    return model


def require_loadable(model: Sequential) -> None:
    """Raise UsageError if the network has a layer of one's own that no file could give back."""
    try:
        loadable_config(model)
    except ValueError as problem:
        raise UsageError(str(problem), "change the layer, or learn without run=") from None


def vector_trunk(shape: tuple[int, ...], hidden: tuple[int, ...], activation: str) -> list[Layer]:
    """Return layers that map vectors (D,) to hidden[-1] features."""
    positive = all(units >= 1 for units in hidden)
    require(positive, f"the hidden layers have {hidden} units", "give --hidden whole numbers >= 1")
    remedy = "use screens (H, W, C), or make them vectors: gymnasium.wrappers.FlattenObservation"
    require(len(shape) == 1, f"observations have shape {shape}", remedy)
    return [Dense(units, activation=activation, kernel_initializer="glorot_normal") for units in hidden]


def screen_trunk(observations: spaces.Space[Any]) -> list[Layer]:
    """Return layers that map screens (H, W, C) of bytes to 256 features."""
    dtype, (height, width, _) = observations.dtype, observation_shape(observations)
    require(dtype == np.uint8, f"screens are {dtype}, not bytes", "show them as uint8, 0 to 255")
    least = SMALLEST_SCREEN
    what = f"an image of {height}x{width} is too small for the network"
    require(min(height, width) >= least, what, f"give images of at least {least}x{least} pixels")
    return [
        Rescaling(1 / 255),
        Conv2D(32, 8, 4, "same", activation="relu", kernel_initializer="glorot_normal"),
        Conv2D(64, 4, 2, "same", activation="relu", kernel_initializer="glorot_normal"),
        Conv2D(64, 3, 1, "same", activation="relu", kernel_initializer="glorot_normal"),
        Flatten(),
        Dense(256, activation="relu", kernel_initializer="glorot_normal"),
    ]


def observation_shape(observations: spaces.Space[Any]) -> tuple[int, ...]:
    """Return the shape of one observation: (D,) or (H, W, C)."""
    return tuple(observations.shape or ())
