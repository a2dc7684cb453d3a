"""Adam with decoupled weight decay."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from nnlite.arrays import Array
from nnlite.attributes import checked
from nnlite.optimizers.adam import Adam
from nnlite.utils import not_negative
from nnlite.weights import owner_of


class AdamW(Adam):
    """Adam's step and p -= lr * weight_decay * p. The decay is no part of the gradient: no moment sees it.

    exclude_from_weight_decay  names of weights that do not decay, as the method of this name takes them

    Every weight decays that is trained, biases included, as in Keras. Source: Loshchilov & Hutter 2019.
    """

    hyperparameters = (*Adam.hyperparameters, "weight_decay")
    weight_decay: float = checked(not_negative)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        exclude_from_weight_decay: Sequence[str] = (),
        **clipping: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **clipping)
        self.weight_decay = weight_decay
        self._decaying: list[Array] = []  # views of params
        self.exclude_from_weight_decay(exclude_from_weight_decay)

    def exclude_from_weight_decay(self, var_names: Sequence[str]) -> None:
        """Leave out every weight in whose name one of these regular expressions is found: ["bias"].

        A name is that of the weight in its layer: kernel, bias, gamma, beta. Raises ValueError once bound.
        """
        if self.params.size:
            raise ValueError("exclude_from_weight_decay has to be called before the optimizer is bound")
        if isinstance(var_names, str) or not all(isinstance(name, str) for name in var_names):
            raise ValueError(f"var_names must be a list of names, ['bias'] for example, not {var_names!r}")
        self._excluded = tuple(var_names)

    def bind(self, params: Array, grads: Array, variables: Sequence[slice] | None = None) -> AdamW:
        decaying = self._decaying_weights(params, variables)
        super().bind(params, grads, variables)
        self._keeps_gil = False  # a step is several calls
        self._decaying = decaying
        return self

    def _decaying_weights(self, params: Array, variables: Sequence[slice] | None) -> list[Array]:
        if not self._excluded:
            return [params]
        owner = owner_of(params, variables)
        if owner is None or not owner.names:
            raise ValueError("these weights have no names to exclude; bind the params of a model")
        pattern = re.compile("|".join(self._excluded))
        return [params[place] for place, name in zip(owner, owner.names) if not pattern.search(name)]

    def _step(self) -> None:
        self._finite_squares()  # before a weight is changed
        kept = self.params.dtype.type(1 - self.learning_rate * self.weight_decay)
        for weights in self._decaying:
            weights *= kept
        super()._step()

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "exclude_from_weight_decay": self._excluded}
