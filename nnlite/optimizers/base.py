"""The base of optimizers: settings, schedules, clipping, frozen weights, one step at a time."""

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
from nnlite.attributes import Guarded, put, ruled
from nnlite.names import is_nnlites, own_name, serialize
from nnlite.optimizers import schedules
from nnlite.optimizers.binding import check_arrays, edges_of
from nnlite.utils import above_zero, aligned_zeros, call_text, is_whole, not_negative, real, refuse_unknown
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
    """Base of all: the learning rate, three kinds of clipping, the check for finite gradients.

    learning_rate    step size, >= 0; or a schedule, and then it reads as the size of the next step
    clipnorm         scales each variable's gradient down to at most this Euclidean norm
    clipvalue        clips each element to [-clipvalue, clipvalue]
    global_clipnorm  scales the whole gradient down to at most this norm
    lr               Keras's older name of learning_rate

    All may be changed between steps. Raises ValueError for a value that makes no sense, then too.
    """

    clipnorm: float | None = ruled(only_limit)
    clipvalue: float | None = ruled(only_limit)
    global_clipnorm: float | None = ruled(only_limit)
    params: Array
    grads: Array
    _rate: float
    _schedule: schedules.Schedule | None = None

    def __init__(
        self,
        learning_rate: Any = 0.001,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        lr: Any = None,
        **unknown: Any,
    ) -> None:
        refuse_unknown(unknown, type(self).__name__, type(self).__init__, Optimizer.__init__)
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
    def learning_rate(self) -> float:
        """The size of the next step."""
        return self._rate if self._schedule is None else self._scheduled_rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if callable(value) or isinstance(value, dict):
            self._schedule = schedules.get(value)
        elif self._schedule is None:
            self._rate = not_negative(value, "learning_rate")
        else:
            raise TypeError(
                "the learning rate follows a schedule, so no number can be set; give another schedule, or "
                "make a new optimizer"
            )

    def _scheduled_rate(self) -> float:
        step = self._count[0]
        try:
            rate: Any = self._schedule(step)  # type: ignore[misc]
        except OverflowError:
            rate = math.inf
        return not_negative(rate, f"the scheduled learning rate of step {step + 1}")

    @property
    def lr(self) -> float:
        """Keras's older name of learning_rate."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value

    def bind(self, params: Array, grads: Array, variables: Sequence[slice] | None = None) -> Optimizer:
        """Work on these two flat arrays of one shape and dtype from now on; reset all moments. Return self.

        variables  a model's `variables`: what clipnorm limits one by one; None: all as one

        Raises ValueError unless both arrays can be changed in place: contiguous, aligned, writeable, float32
        or float64 of this machine's byte order, without shared memory. Raises it too unless the variables
        cover params one after the other.
        """
        check_arrays(params, grads)
        edges = edges_of(variables, params.size)
        owner = owner_of(params, variables) or Variables([], contextlib.nullcontext())
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
        held = None if name in ("learning_rate", "lr") else getattr(self, name, None)
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
        raise TypeError("Optimizer is abstract: use SGD, RMSprop, Adam or AdamW")

    def _clipped_gradient(self) -> Array:
        """Return the gradient within all limits; FloatingPointError if it is not finite."""
        scale = self._clip_norms()
        grads = self.grads if scale == 1.0 else self.grads * self.grads.dtype.type(scale)
        return grads if self.clipvalue is None else np.clip(grads, -self.clipvalue, self.clipvalue)

    def _finite_squares(self) -> float:
        """Return the sum of squares of the gradient; FloatingPointError if it is not finite."""
        squares = float(_adam.sum_of_squares(self.grads))
        if not math.isfinite(squares):
            raise FloatingPointError(f"gradient is not finite at optimizer step {self.iterations + 1}")
        return squares

    def _clip_norms(self) -> float:
        """Apply clipnorm in place; return global_clipnorm's factor."""
        squares = self._finite_squares()
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
        rate = self._rate if self._schedule is None else serialize(self._schedule)
        more = {argument: getattr(self, argument) for argument in (*LIMITS, *self.hyperparameters)}
        cls = type(self)
        name = cls.__name__.lower() if is_nnlites(cls) else own_name(cls)  # Keras's: adamw, rmsprop
        return {"name": name, "learning_rate": rate, **more}

    hyperparameters: tuple[str, ...] = ()
    """Names of the constructor's own arguments, which are attributes too."""

    def __repr__(self) -> str:
        rate = self._rate if self._schedule is None else self._schedule
        return call_text(type(self), {**self.get_config(), "learning_rate": rate})
