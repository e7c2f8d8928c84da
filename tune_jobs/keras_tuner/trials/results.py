"""The results that ``run_trial`` and ``fit`` may return, as the metrics of epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from tune_jobs.keras_tuner.errors import FatalTypeError, FatalValueError
from tune_jobs.keras_tuner.objective import DEFAULT_OBJECTIVE, Objective

Metrics = Mapping[str, float]


def epochs_of(results: Any, objective: Objective, where: str) -> list[Metrics]:
    """Return the metrics of each epoch that a result tells; of a number or a dictionary there is only one.

    Args:
        results: A number, a dictionary of metrics, a ``History``, or a list of these, of which the mean counts.
        objective: The objective, which is among the metrics of each epoch afterwards.
        where: The name of the function that returned it.

    Raises:
        FatalTypeError: It is something else, or nothing.
        FatalValueError: It lacks the objective.
    """
    if isinstance(results, list | tuple) and results:
        epochs = [epochs_of(one, objective, where) for one in results]
        if len({len(one) for one in epochs}) > 1:  # some stopped early: each counts by its best epoch
            epochs = [[_best(one, objective)] for one in epochs]
        return [_mean(same) for same in zip(*epochs, strict=True)]
    metrics = _metrics(results, where)
    if isinstance(metrics, float):
        return [{objective.name: metrics}]
    return [_with_objective(one, objective, where) for one in metrics]


def _metrics(results: Any, where: str) -> float | list[dict[str, float]]:
    if isinstance(results, np.ndarray) and results.size == 1:
        return float(results.item())
    if isinstance(results, int | float | np.number) and not isinstance(results, bool):
        return float(results)
    if isinstance(results, Mapping):
        return [{str(name): float(np.asarray(value).item()) for name, value in results.items()}]
    history = getattr(results, "history", None)
    if isinstance(history, Mapping) and history:
        count = min(len(values) for values in history.values())
        return [
            {name: float(np.asarray(values[index]).item()) for name, values in history.items()}
            for index in range(count)
        ]
    if results is None:
        raise FatalTypeError(f"{where} returned None, but must return the metrics: is its `return` missing?")
    raise FatalTypeError(
        f"{where} returned a {type(results).__name__}, but must return a number, a dictionary of metrics, a History, "
        "or a list of these."
    )


def _with_objective(metrics: dict[str, float], objective: Objective, where: str) -> Metrics:
    if objective.name in metrics:
        return metrics
    if not objective.has_value(metrics):
        remedy = (
            "return a single number, or name the objective" if objective.name == DEFAULT_OBJECTIVE else "return it, too"
        )
        raise FatalValueError(
            f"{where} returned the metrics {', '.join(metrics) or 'none'}, but not the objective {objective}: {remedy}."
        )
    return {**metrics, objective.name: objective.get_value(metrics)}


def _best(epochs: Sequence[Metrics], objective: Objective) -> Metrics:
    best = objective.metric_objective.best(epochs, lambda metrics: metrics[objective.name])
    return best if best is not None else epochs[-1]


def _mean(metrics: Sequence[Metrics]) -> Metrics:
    names = [name for name in metrics[0] if all(name in one for one in metrics)]
    return {name: fmean(one[name] for one in metrics) for name in names}
