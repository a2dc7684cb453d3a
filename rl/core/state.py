"""The state of an agent's parts, as plain values that a checkpoint can store.

value                        its state
Sequential                   its weights, and the generators of its Dropout layers
numpy.random.Generator       the state of its bit generator
NamedTuple                   the states of its fields, by name
with get_state, set_state    the result of get_state
array, number                the value itself
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite import Sequential
from nnlite.saving import load_tensors, model_tensors


def state_of(value: Any) -> Any:
    """Return the state of `value`; arrays are not copied."""
    if isinstance(value, Sequential):
        generators = [rng.bit_generator.state for rng in _generators(value)]
        return {"weights": model_tensors(value), "generators": generators}
    if isinstance(value, np.random.Generator):
        return value.bit_generator.state
    if hasattr(value, "_fields"):
        return {name: state_of(getattr(value, name)) for name in value._fields}
    return value.get_state() if hasattr(value, "get_state") else value


def restore(value: Any, state: Any) -> Any:
    """Restore the state of `value` in place and return it; of a number, return the stored one.

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
            restore(getattr(value, name), state[name])
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
    """Return the generators of the layers that draw random numbers during training."""
    drawn = [getattr(layer, "rng", None) for layer in model.walk()]
    return [rng for rng in drawn if isinstance(rng, np.random.Generator)]
