"""Learning rates that depend on the step. Keras's names and formulas.

An optimizer calls its schedule with the number of steps done so far: 0 for the first step.
"""

from __future__ import annotations

import bisect
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

from nnlite.attributes import Guarded, argument
from nnlite.names import find, from_registry, registry_name
from nnlite.utils import above_zero, call_text, flag, missing_name, not_negative, real

Schedule = Callable[[int], float]


class LearningRateSchedule(Guarded):
    """Base class: schedule(step) is the learning rate.

    A function of the step serves as well; in Keras such a function has no argument.
    """

    def __call__(self, step: int) -> float:
        """Return the learning rate, a finite number >= 0, after `step` steps."""
        raise TypeError("LearningRateSchedule is abstract: use one of its subclasses")

    def get_config(self) -> dict[str, Any]:
        """Return the name and, as the constructor's arguments, all attributes."""
        return {"name": registry_name(self), **vars(self)}

    def __repr__(self) -> str:
        return call_text(type(self), self.get_config())


class ExponentialDecay(LearningRateSchedule):
    """initial_learning_rate * decay_rate ^ (step / decay_steps).

    staircase  round the exponent down: the rate changes every `decay_steps` steps
    """

    initial_learning_rate: float = argument()
    decay_steps: float = argument()
    decay_rate: float = argument()
    staircase: bool = argument()

    def __init__(
        self, initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool = False
    ) -> None:
        self.initial_learning_rate = not_negative(initial_learning_rate, "initial_learning_rate")
        self.decay_steps, self.decay_rate = (
            above_zero(decay_steps, "decay_steps"),
            above_zero(decay_rate, "decay_rate"),
        )
        self.staircase = flag(staircase, "staircase")

    def __call__(self, step: int) -> float:
        exponent = step // self.decay_steps if self.staircase else step / self.decay_steps
        return self.initial_learning_rate * self.decay_rate**exponent


class CosineDecay(LearningRateSchedule):
    """r * ((1 - alpha) (1 + cos(pi s / decay_steps)) / 2 + alpha) with s = min(step, decay_steps).

    alpha         the last rate as a share of r
    warmup_steps  number of steps, before those, that rise evenly from initial_learning_rate to warmup_target

    r is initial_learning_rate, or warmup_target if there is one.
    Source: Loshchilov & Hutter 2017, without restarts.
    """

    initial_learning_rate: float = argument()
    decay_steps: float = argument()
    alpha: float = argument()
    warmup_target: float | None = argument()
    warmup_steps: float = argument()

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        self.initial_learning_rate = not_negative(initial_learning_rate, "initial_learning_rate")
        self.decay_steps = above_zero(decay_steps, "decay_steps")
        self.alpha = not_negative(alpha, "alpha")
        self.warmup_steps = not_negative(warmup_steps, "warmup_steps")
        if (warmup_target is None) != (self.warmup_steps == 0):
            raise ValueError("a warm-up needs both, warmup_target and warmup_steps > 0")
        self.warmup_target = None if warmup_target is None else not_negative(warmup_target, "warmup_target")

    def __call__(self, step: int) -> float:
        first, top = self.initial_learning_rate, self.warmup_target
        if top is None:
            top = first
        elif step < self.warmup_steps:
            return first + (top - first) * step / self.warmup_steps
        done = min(step - self.warmup_steps, self.decay_steps) / self.decay_steps
        return top * ((1 - self.alpha) * 0.5 * (1 + math.cos(math.pi * done)) + self.alpha)


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[0] up to step boundaries[0], values[1] up to boundaries[1], ..., values[-1] after the last."""

    boundaries: list[float] = argument()
    values: list[float] = argument()

    def __init__(self, boundaries: Sequence[float], values: Sequence[float]) -> None:
        self.boundaries = [real(boundary, "a boundary", least=0) for boundary in boundaries]
        self.values = [not_negative(value, "a value") for value in values]
        if len(self.values) != len(self.boundaries) + 1 or not self.boundaries:
            counts = f"{len(self.boundaries)} and {len(self.values)}"
            raise ValueError(f"give at least one boundary, and one value more than boundaries, not {counts}")
        if self.boundaries != sorted(set(self.boundaries)):
            raise ValueError(f"boundaries must rise, not {self.boundaries}")

    def __call__(self, step: int) -> float:
        return self.values[bisect.bisect_left(self.boundaries, step)]


REGISTRY: dict[str, type[LearningRateSchedule]] = {
    "exponential_decay": ExponentialDecay,
    "cosine_decay": CosineDecay,
    "piecewise_constant_decay": PiecewiseConstantDecay,
}


def get(identifier: Schedule | dict[str, Any]) -> Schedule:
    """Return the schedule of this config, class or object; a function of the step is one."""
    if callable(identifier) and not inspect.isclass(identifier):
        return identifier
    if isinstance(identifier, dict) and set(identifier) == {"name"}:
        function: Schedule | None = find(str(identifier["name"]))
        if function is not None:
            return function
    return from_registry(identifier, REGISTRY, LearningRateSchedule, "learning rate schedule")


def __getattr__(name: str) -> Any:
    there = ["LearningRateSchedule", *(cls.__name__ for cls in REGISTRY.values())]
    raise missing_name("nnlite.optimizers.schedules", name, there)
