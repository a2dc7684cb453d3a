"""Scores: the compiled metrics, and which of them see the weights of examples."""

from __future__ import annotations

import copy
from typing import Any

from nnlite.arrays import Array
from nnlite.metrics import Metric, config_of


class Scores:
    """The metrics of a compiled model, in the order of the results."""

    def __init__(self, plain: list[Metric], weighted: list[Metric]) -> None:
        self.plain, self.weighted = plain, weighted
        self.metrics = [*plain, *weighted]

    def __len__(self) -> int:
        return len(self.metrics)

    @property
    def directions(self) -> dict[str, str]:
        """{name: "min", "max" or ""} of the loss and each metric."""
        return {"loss": "min", **{metric.name: metric.direction for metric in self.metrics}}

    def fresh(self) -> Scores:
        """Return copies without state: several evaluations may run at once, and within a training."""
        twin = Scores(*copy.deepcopy((self.plain, self.weighted)))
        twin.reset()
        return twin

    def reset(self) -> None:
        """Forget all batches."""
        for metric in self.metrics:
            metric.reset_state()

    def update(self, output: Array, target: Array, weights: Array | None) -> None:
        """Take in one batch."""
        for metric in self.plain:
            metric.update_state(y_true=target, y_pred=output)
        for metric in self.weighted:
            metric.update_state(y_true=target, y_pred=output, sample_weight=weights)

    def results(self, loss: float) -> dict[str, float]:
        """Return {"loss": loss, name: result of each metric}."""
        return {"loss": loss, **{metric.name: float(metric.result()) for metric in self.metrics}}

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of compile. ValueError for a metric that no file can hold."""
        return {
            "metrics": [config_of(metric) for metric in self.plain],
            "weighted_metrics": [config_of(metric) for metric in self.weighted],
        }
