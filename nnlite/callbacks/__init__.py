"""Callbacks: what fit calls between its epochs and steps, with Keras's names and rules."""

from __future__ import annotations

from typing import Any

from nnlite.callbacks.base import Callback
from nnlite.callbacks.checkpoint import ModelCheckpoint
from nnlite.callbacks.rates import LearningRateScheduler, ReduceLROnPlateau
from nnlite.callbacks.records import CSVLogger, History, LambdaCallback
from nnlite.callbacks.stopping import EarlyStopping
from nnlite.utils import missing_name

__all__ = [
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
]


def __getattr__(name: str) -> Any:
    raise missing_name("nnlite.callbacks", name, __all__)
