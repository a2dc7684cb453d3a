"""The state of what an agent is made of: networks, optimizers, replays, generators, numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite import Sequential
from nnlite.saving import load_tensors, model_tensors


def state_of(value: Any) -> Any:
    """What `restored` needs: of a network its weights (and the generators of its Dropout), of a generator its
    state, of a NamedTuple that of its parts, of anything with get_state what that gives; numbers and arrays
    are their own state."""
    if isinstance(value, Sequential):
        return {
            "weights": model_tensors(value),
            "generators": [rng.bit_generator.state for rng in _generators(value)],
        }
    if isinstance(value, np.random.Generator):
        return value.bit_generator.state
    if hasattr(value, "_fields"):
        return {name: state_of(getattr(value, name)) for name in value._fields}
    return value.get_state() if hasattr(value, "get_state") else value


def restored(value: Any, state: Any) -> Any:
    """`value` as `state_of` found it: the same object where it has an inside, else a new number.

    Raises ValueError when the state does not fit.
    """
    if isinstance(value, Sequential):
        load_tensors(value, state["weights"])
        for rng, inside in zip(_generators(value), state["generators"], strict=True):
            rng.bit_generator.state = inside
    elif isinstance(value, np.random.Generator):
        value.bit_generator.state = state
    elif hasattr(value, "_fields"):
        for name in value._fields:
            restored(getattr(value, name), state[name])
    elif hasattr(value, "set_state"):
        value.set_state(state)
    elif isinstance(value, np.ndarray):
        if value.shape != np.shape(state):
            raise ValueError(f"a saved array is {np.shape(state)}, not {value.shape}")
        value[...] = state
    else:
        return type(value)(state)
    return value


def _generators(model: Sequential) -> list[np.random.Generator]:
    found = [getattr(layer, "rng", None) for layer in model.layers]
    return [rng for rng in found if isinstance(rng, np.random.Generator)]
