"""The leaderboard: a run's trials as one table, the best first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Literal, TypeAlias, cast

import numpy as np
import pandas as pd

from search_spaces import SearchSpace, Slot
from search_spaces.parameters import Boolean, Float, Int
from tune_jobs.base.objective import Objective
from tune_jobs.results.evaluations import Scores, on_test_set
from tune_jobs.results.history import History
from tune_jobs.results.journal.events import EpochReported, Status
from tune_jobs.results.ranking import RankedTrial, ranking

Dtype: TypeAlias = Literal["int", "float", "bool", "str", "json"]

_FIXED = ("rank", "trial", "status", "best_epoch", "epochs", "seconds", "node", "error")
_DTYPES = {"int": "Int64", "float": "Float64", "bool": "boolean", "str": "string"}
_TYPES: dict[str, set[type]] = {"int": {int}, "float": {float, int}, "bool": {bool}, "str": {str}}
MOST_METRICS = 1000
"""Largest number of metrics that are columns beside the objective. A table of more answers after minutes, if at all."""
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the leaderboard that shows one value of a configuration.

    Attributes:
        label: The column's name, such as ``units_1``.
        name: The parameter's name, such as ``units``.
        index: The index of the value in the parameter's list, such as ``(1,)``; ``()`` if it is not repeated.
        dtype: The type that all its values have; "json" if they are mixed, null, or lists.
    """

    label: str
    name: str
    index: tuple[int, ...]
    dtype: Dtype

    def value(self, config: Mapping[str, Any]) -> Any:
        """Return the value in a configuration; ``pandas.NA`` if the parameter is inactive there."""
        value = config.get(self.name, pd.NA)
        for index in self.index:
            if not isinstance(value, list | tuple) or index >= len(value):
                return pd.NA
            value = value[index]
        return value


def columns_of(space: SearchSpace) -> list[Column]:
    """Return a column for every value that a configuration of the space can hold, in declaration order."""
    return [Column(slot.label, slot.name, slot.index, _dtype(slot)) for slot in space.slots()]


def leaderboard(
    history: History,
    objective: Objective,
    parameters: Sequence[Column],
    test_scores: Mapping[int, Scores] | None = None,
) -> pd.DataFrame:
    """Return a run's trials as one table, the best first.

    The order is that of ``ranking``: by the objective at a trial's best epoch. Ties are broken by fewer epochs to
    reach it, then by trial number, so each ranked trial has a rank of its own. Trials without a finite objective have
    no rank and come last, by status, then by trial number.

    The columns are: ``rank``, ``trial``, ``status``, the objective's metric, ``best_epoch``, ``epochs`` (trained),
    ``seconds`` (of training), the parameters, the other metrics at the best epoch in the order in which trials
    reported them (the first 1,000), the metrics on the test set as ``test_<name>`` (if any trial was evaluated),
    ``feasible`` (if there are constraints: whether the trial keeps them), ``node``, and ``error`` on one line, which is
    the reason for a trial that was refused. Inactive parameters, unreported metrics and metrics that were NaN are
    missing (``pandas.NA``).

    If names collide, the fixed columns keep theirs, then the objective, then the parameters in order, then the other
    metrics in order, those on the test set last. A parameter whose name is taken becomes ``param_<name>``, a metric
    ``metric_<name>``.

    Args:
        history: The history of the run.
        objective: The metric that ranks, and its direction.
        parameters: The columns of the parameters. If the values in the journal are not all of a column's type, the
            column holds them unchanged, as "json" columns do.
        test_scores: The scores on the test set by trial: see ``evaluations.current``.

    Returns:
        A row per trial, with pandas' nullable types.
    """
    ranked = ranking(history, objective)
    trials = [row.trial for row in ranked]
    bests = [row.best for row in ranked]
    taken = set(_FIXED)
    columns: dict[str, Any] = {
        "rank": _array([row.rank for row in ranked], "Int64"),
        "trial": np.array([trial.trial for trial in trials], dtype=np.int64),
        "status": _array([trial.status.value for trial in trials], "string"),
        _claim(objective.metric, "metric_", taken): _metric(bests, objective.metric),
        "best_epoch": _array([best.epoch if best else None for best in bests], "Int64"),
        "epochs": _array([len(trial.epochs) for trial in trials], "Int64"),
        "seconds": np.array([trial.seconds for trial in trials], dtype=np.float64),
    }
    for parameter in parameters:
        values = [parameter.value(trial.config) for trial in trials]
        columns[_claim(parameter.label, "param_", taken)] = _typed(values, parameter.dtype)
    for metric in islice(_other_metrics(history, objective), MOST_METRICS):
        columns[_claim(metric, "metric_", taken)] = _metric(bests, metric)
    evaluated = [(test_scores or {}).get(trial.trial) for trial in trials]
    for metric in dict.fromkeys(chain.from_iterable(scores.metrics for scores in evaluated if scores)):
        values = [scores.metrics.get(metric) if scores else None for scores in evaluated]
        columns[_claim(on_test_set(metric), "metric_", taken)] = _array(values, "Float64")
    if objective.constraints or any(trial.status is Status.REFUSED for trial in trials):
        columns[_claim("feasible", "metric_", taken)] = _array(
            [_is_feasible(row, objective) for row in ranked], "boolean"
        )
    columns["node"] = _array([trial.node for trial in trials], "string")
    errors = [trial.reason if trial.status is Status.REFUSED else trial.error for trial in trials]
    columns["error"] = _array([_one_line(error) for error in errors], "string")
    return pd.DataFrame(columns)


def _is_feasible(row: RankedTrial, objective: Objective) -> bool | None:
    if row.trial.status is Status.REFUSED:
        return False
    return None if row.best is None else objective.violation(row.best.metrics) == 0


def _dtype(slot: Slot) -> Dtype:
    match slot.parameter:
        case Int():
            return "int"
        case Float():
            return "float"
        case Boolean():
            return "bool"
    kinds = {type(value) for value in slot.parameter.grid() or ()}
    if kinds == {bool}:
        return "bool"
    if kinds == {int}:
        return "int"
    if kinds <= {int, float}:
        return "float"
    return "str" if kinds == {str} else "json"


def _claim(name: str, prefix: str, taken: set[str]) -> str:
    while name in taken:
        name = prefix + name
    taken.add(name)
    return name


def metrics_note(history: History, objective: Objective) -> str | None:
    """Return a sentence about the metrics that are no columns, because there are too many; None if all are.

    Args:
        history: The history of the run.
        objective: The metric that ranks.
    """
    count = len(_other_metrics(history, objective))
    if count <= MOST_METRICS:
        return None
    return (
        f"The trials reported {count:,} metrics beside {objective.metric}, and the leaderboard has the first "
        f"{MOST_METRICS:,} of them. Run.curves(metric) has each."
    )


def _other_metrics(history: History, objective: Objective) -> list[str]:
    epochs = (epoch for trial in history.trials.values() for epoch in trial.epochs.values())
    names = dict.fromkeys(chain.from_iterable(epoch.metrics for epoch in epochs))
    names.pop(objective.metric, None)
    return list(names)


def _metric(bests: Sequence[EpochReported | None], metric: str) -> Any:
    return _array([best.metrics.get(metric) if best else None for best in bests], "Float64")


def _typed(values: list[Any], dtype: str) -> Any:
    # pandas would turn True and 1.0 into 1 to make them fit. Values of another type are kept unchanged instead.
    if dtype == "json" or not _fit(values, dtype):
        return pd.Series(values, dtype=object)
    return _array(values, _DTYPES[dtype])


def _fit(values: list[Any], dtype: str) -> bool:
    types = set(map(type, values)) - {type(pd.NA)}
    return types <= _TYPES[dtype] and all(value in _INT64 for value in values if type(value) is int)


def _array(values: list[Any], dtype: str) -> Any:
    # Through Any, because the stubs have no overload for a nullable type that is a variable.
    return pd.array(values, dtype=cast(Any, dtype))


def _one_line(text: str | None) -> str | None:
    return None if text is None else " ".join(text.split())
