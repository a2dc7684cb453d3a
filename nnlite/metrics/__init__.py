"""Metrics: numbers that an epoch or an evaluation reports beside the loss, with Keras's names and values.

A metric is a name ("accuracy"), a class, an object, or a function of your own whose parameters are named
y_true and y_pred, or target and prediction. Metrics read the model's output after its last activation, and
targets in the output's shape: class labels are one-hot by then.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from nnlite.attributes import put
from nnlite.metrics.base import FunctionMetric, MeanMetric, Metric
from nnlite.metrics.means import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    MeanAbsoluteError,
    MeanSquaredError,
    RootMeanSquaredError,
    SparseCategoricalAccuracy,
)
from nnlite.metrics.thresholds import AUC, Precision, Recall
from nnlite.names import collect, find, is_nnlites, own_name, unknown
from nnlite.utils import missing_name, snake_case

__all__ = [
    "AUC",
    "REGISTRY",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "MeanAbsoluteError",
    "MeanMetric",
    "MeanSquaredError",
    "Metric",
    "Precision",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "get",
    "get_all",
]

_CLASSES: list[type[Metric]] = [
    AUC,
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    MeanAbsoluteError,
    MeanSquaredError,
    Precision,
    Recall,
    RootMeanSquaredError,
    SparseCategoricalAccuracy,
]
REGISTRY: dict[str, type[Metric]] = {
    **{snake_case(cls.__name__): cls for cls in _CLASSES},
    "acc": Accuracy,
    "mae": MeanAbsoluteError,
    "mse": MeanSquaredError,
}


def get(identifier: Any) -> Metric:
    """Return the metric of this name, class, object, function, or config {"class": ..., arguments}.

    A name that is given stays the key in logs: "mse" is "mse". Raises ValueError for an unknown name.
    """
    if isinstance(identifier, Metric):
        return identifier
    if inspect.isclass(identifier) and issubclass(identifier, Metric):
        return identifier()
    if callable(identifier):
        return FunctionMetric(identifier)
    if isinstance(identifier, dict):
        settings = dict(identifier)
        name = settings.pop("class", None)
    else:
        name, settings = identifier, {"name": identifier}
    by_class = {cls.__name__: cls for cls in _CLASSES}
    found: Any = None
    if isinstance(name, str):
        if (own := find(name)) is not None:
            return FunctionMetric(own)
        found = find(name, Metric) or REGISTRY.get(name) or by_class.get(name)
    if found is None:
        raise unknown("metric", name, REGISTRY, Metric)
    return found(**settings)


def get_all(given: Any, weighted: Any = ()) -> tuple[list[Metric], list[Metric]]:
    """Return the metrics and the weighted metrics; a weighted one of the same name is weighted_NAME.

    Raises ValueError if a name stands twice among one of them, or is "loss".
    """
    plain, others = ([get(one) for one in _listed(group)] for group in (given, weighted))
    taken = {metric.name for metric in plain}
    for metric in others:
        if metric.name in taken:
            put(metric, "name", f"weighted_{metric.name}")
    names = [metric.name for metric in (*plain, *others)]
    for name in names:
        if names.count(name) > 1 or name == "loss":
            raise ValueError(f"two values are called {name!r}; give one of the metrics another name=")
    return plain, others


def config_of(metric: Metric) -> dict[str, Any]:
    """Return the config that `get` reads."""
    cls, config = type(metric), metric.get_config()
    collect(metric)
    if cls is FunctionMetric:
        return {"class": config["name"]}
    return {"class": snake_case(cls.__name__) if is_nnlites(cls) else own_name(cls), **config}


def _listed(given: Any) -> Iterable[Any]:
    if not given:
        return []
    return given if isinstance(given, (list, tuple)) else [given]


def __getattr__(name: str) -> Any:
    raise missing_name("nnlite.metrics", name, __all__)
