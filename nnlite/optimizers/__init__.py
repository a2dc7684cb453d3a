"""Optimizers on flat arrays: a step reads `grads` once and overwrites `params`. Keras's names and semantics.

An optimizer is made alone, as in Keras, then bound to the arrays that it changes:

    optimizer = Adam(learning_rate=1e-4, clipvalue=1.0).bind(model.params, model.grads, model.variables)
    optimizer.step()

`variables` are the slices that `clipnorm` limits one by one. A NaN or infinity in the gradient raises
FloatingPointError before any weight is changed.
"""

from __future__ import annotations

from typing import Any

from nnlite.names import from_registry
from nnlite.optimizers import schedules
from nnlite.optimizers.adam import Adam
from nnlite.optimizers.adamw import AdamW
from nnlite.optimizers.base import Optimizer
from nnlite.optimizers.rmsprop import RMSprop
from nnlite.optimizers.sgd import SGD
from nnlite.utils import missing_name

__all__ = ["REGISTRY", "SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "get", "schedules"]

REGISTRY: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam, "adamw": AdamW, "rmsprop": RMSprop}


def get(identifier: str | Optimizer | dict[str, Any]) -> Optimizer:
    """Return the optimizer of this name, class, config or object."""
    return from_registry(identifier, REGISTRY, Optimizer, "optimizer")


def __getattr__(name: str) -> Any:
    raise missing_name("nnlite.optimizers", name, ["SGD", "Adam", "AdamW", "RMSprop", "schedules"])
