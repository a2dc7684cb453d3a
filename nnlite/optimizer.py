"""The base of optimizers: checked settings, clipping, weights that are not trainable, one step at a time."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from nnlite_ext import _adam

from nnlite.arrays import Array
from nnlite.attributes import Guarded, checked, put, ruled
from nnlite.utils import above_zero, aligned_zeros, is_whole, not_negative, real, registry_name
from nnlite.weights import Variables, owner_of


def decay(value: Any, what: str) -> float:
    """Return a number in [0, 1)."""
    return real(value, what, 0, 1)


LIMITS = ("clipnorm", "clipvalue", "global_clipnorm")


def only_limit(optimizer: Any, name: str, value: Any) -> float | None:
    """Return a number > 0 or None. ValueError if the gradient is limited in another way already."""
    if value is None:
        return None
    for other in LIMITS:
        if other != name and getattr(optimizer, other, None) is not None:
            raise ValueError(f"only one kind of clipping at a time, not {other} and {name}")
    return above_zero(value, name)


class Optimizer(Guarded):
    """Base of SGD and Adam: the learning rate, three kinds of clipping, the check for finite gradients.

    learning_rate    step size, >= 0
    clipnorm         scales each variable's gradient down to at most this Euclidean norm
    clipvalue        clips each element to [-clipvalue, clipvalue]
    global_clipnorm  scales the whole gradient down to at most this norm
    lr               Keras's older name of learning_rate

    All may be changed between steps. Raises ValueError for a value that makes no sense, then too.
    """

    learning_rate: float = checked(not_negative)
    clipnorm: float | None = ruled(only_limit)
    clipvalue: float | None = ruled(only_limit)
    global_clipnorm: float | None = ruled(only_limit)
    params: Array
    grads: Array

    def __init__(
        self,
        learning_rate: float = 0.001,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        lr: float | None = None,
    ) -> None:
        usual = inspect.signature(type(self)).parameters.get("learning_rate")
        if lr is not None and usual is not None and learning_rate != usual.default:
            raise ValueError(f"lr is another name of learning_rate: give one, not {lr} and {learning_rate}")
        self.learning_rate = learning_rate if lr is None else lr
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self._count = [0]  # in a list, because setting an attribute takes a third of a small step
        self.params = self.grads = np.zeros(0, np.float32)
        self._frozen: list[slice] = []  # places that a step leaves as they are; the model changes this list
        self._lock: Any = contextlib.nullcontext()  # the model's
        self._edges: Sequence[int] = ()  # between the variables
        self._changed = True  # a setting, since a compiled step has read them
        self._keeps_gil = False  # one compiled call that no other thread can interrupt

    @property
    def iterations(self) -> int:
        """Steps done since bind."""
        return self._count[0]

    @iterations.setter
    def iterations(self, value: int) -> None:
        if not is_whole(value) or value < 0:
            raise ValueError(f"iterations must be a whole number >= 0, not {value!r}")
        self._count[0] = int(value)

    @property
    def lr(self) -> float:
        """Keras's older name of learning_rate."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: float) -> None:
        self.learning_rate = value

    def bind(self, params: Array, grads: Array, variables: Sequence[slice] | None = None) -> Optimizer:
        """Work on these two flat arrays of one shape and dtype from now on; reset all moments. Return self.

        variables  a model's `variables`: what clipnorm limits one by one; None: all as one

        Raises ValueError unless both arrays can be changed in place: contiguous, aligned, writeable, float32
        or float64 of this machine's byte order, without shared memory. Raises it too unless the variables
        cover params one after the other.
        """
        for name, array in (("params", params), ("grads", grads)):
            fits = isinstance(array, np.ndarray) and array.dtype in (np.float32, np.float64)
            if not fits or not array.flags.carray:
                raise ValueError(f"{name} must be a contiguous, writeable array of float32 or float64")
        if params.shape != grads.shape or params.dtype != grads.dtype or params.ndim != 1:
            raise ValueError(
                f"params {params.dtype}{params.shape} and grads {grads.dtype}{grads.shape} must be flat "
                "and alike"
            )
        if np.may_share_memory(params, grads):
            raise ValueError("params and grads must not share memory")
        places = [slice(0, params.size)] if variables is None else variables
        edges = [0, *(place.stop for place in places)]
        if edges[-1] != params.size or [place.start for place in places] != edges[:-1]:
            raise ValueError(
                f"variables must be slices that lie one behind the other and reach from 0 to {params.size}"
            )
        owner = variables if isinstance(variables, Variables) else owner_of(params)
        if owner is None:
            owner = Variables([], contextlib.nullcontext())
        self._frozen, self._lock, self._edges = owner.frozen, owner.lock, edges
        self.iterations = 0
        put(self, "params", params), put(self, "grads", grads)
        for name in self.moments:
            put(self, name, aligned_zeros(params.shape, params.dtype))
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if not name.startswith("_"):
            self._changed = True

    def _place(self, name: str) -> Array | None:
        held = getattr(self, name, None)
        return held if isinstance(held, np.ndarray) and held.size else None

    moments: tuple[str, ...] = ()
    """Names of the flat arrays that one step leaves for the next."""

    def step(self) -> None:
        """Clip the gradient and change the parameters once. Weights that are not trainable stay as they are.

        Raises FloatingPointError, and changes nothing, if the gradient holds NaN or infinity. Raises
        RuntimeError before bind.
        """
        if self._keeps_gil and not self._frozen:
            self._step()
            return
        if not self._edges:
            raise RuntimeError(
                "this optimizer is not bound: call bind(model.params, model.grads, model.variables), "
                "or train by model.compile and train_on_batch"
            )
        with self._lock:
            kept = [
                (array[place], array[place].copy())
                for place in self._frozen
                for array in (self.params, *(getattr(self, name) for name in self.moments))
            ]
            self._step()
            for view, copy in kept:
                view[...] = copy

    def _step(self) -> None:
        """Change every parameter once."""
        raise TypeError("Optimizer is abstract: use SGD or Adam")

    def _clip_norms(self) -> float:
        """Apply clipnorm in place; return global_clipnorm's factor, which `_update` applies."""
        squares = _adam.sum_of_squares(self.grads)
        if not math.isfinite(squares):
            raise FloatingPointError(f"gradient is not finite at optimizer step {self.iterations + 1}")
        if self.global_clipnorm is not None:
            norm = math.sqrt(squares)
            return self.global_clipnorm / norm if norm > self.global_clipnorm else 1.0
        # below this, no single variable can have a norm above clipnorm
        if self.clipnorm is not None and squares > self.clipnorm**2:
            for first, last in itertools.pairwise(self._edges):
                variable = self.grads[first:last]
                norm = math.sqrt(_adam.sum_of_squares(variable))
                if norm > self.clipnorm:
                    variable *= self.grads.dtype.type(self.clipnorm / norm)
        return 1.0

    def get_state(self) -> dict[str, Array]:
        """Return all arrays that the next step depends on: `iterations` and the moments."""
        return {
            "iterations": np.array(self.iterations, np.int64),
            **{name: getattr(self, name).copy() for name in self.moments},
        }

    def set_state(self, state: dict[str, Array]) -> None:
        """Restore a state of get_state. Raises ValueError if a moment is missing or of another size."""
        for name in self.moments:
            if name not in state or state[name].shape != self.params.shape:
                raise ValueError(f"optimizer state {name!r} does not fit {self.params.shape}")
        for name in self.moments:
            getattr(self, name)[...] = state[name]
        self.iterations = int(state["iterations"])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, and the name."""
        names = ["learning_rate", "clipnorm", "clipvalue", "global_clipnorm", *self.hyperparameters]
        return {"name": registry_name(self), **{name: getattr(self, name) for name in names}}

    hyperparameters: tuple[str, ...] = ()
