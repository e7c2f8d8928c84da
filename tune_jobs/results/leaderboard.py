"""The leaderboard: a run's trials as one table, the best first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, cast

import numpy as np
import pandas as pd

from tune_jobs.results.evaluations import Scores, on_test_set
from tune_jobs.results.history import History, Objective
from tune_jobs.results.journal.events import EpochReported
from tune_jobs.results.ranking import ranking

_FIXED = ("rank", "trial", "status", "best_epoch", "epochs", "seconds", "node", "error")
_DTYPES = {"int": "Int64", "float": "Float64", "bool": "boolean", "str": "string"}
_TYPES: dict[str, set[type]] = {"int": {int}, "float": {float, int}, "bool": {bool}, "str": {str}}
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class Column:
    """Where a parameter's value stands in a configuration, and how the leaderboard shows it.

    Attributes:
        label: The column's name, such as units_1.
        name: The parameter's name, such as units.
        index: The value's place in the parameter's list, such as (1,); () if it is not repeated.
        dtype: The type that all its values have, or json where they are mixed, null, or lists.
    """

    label: str
    name: str
    index: tuple[int, ...]
    dtype: Literal["int", "float", "bool", "str", "json"]

    def value(self, config: Mapping[str, Any]) -> Any:
        """The parameter's value in a configuration; pandas.NA where it is inactive."""
        value = config.get(self.name, pd.NA)
        for place in self.index:
            if not isinstance(value, list | tuple) or place >= len(value):
                return pd.NA
            value = value[place]
        return value


def leaderboard(
    history: History,
    objective: Objective,
    slots: Sequence[Column],
    tested: Mapping[int, Scores] | None = None,
) -> pd.DataFrame:
    """A run's trials as one table, a row each, the best first.

    The order is that of `ranking`: by the objective at a trial's best epoch, ties by fewer epochs to reach
    it, then by trial number, each with a rank of its own. Trials without a finite objective have no rank and
    come last, by status, then by trial number.

    The columns are rank, trial, status, the objective's metric, best_epoch, epochs (how many were trained),
    seconds (of training), every parameter in the order of `slots`, every other metric at the best epoch in
    the order in which trials reported them, the metrics on the test set as test_<name> (where any trial was
    evaluated), node, and error on one line. Inactive parameters and unreported metrics are missing
    (pandas.NA), as is a metric that was NaN.

    Where names collide, the columns named above keep theirs, then the objective, the parameters in order, and
    the other metrics in order, those on the test set last; a parameter that finds its name taken is
    param_<name>, a metric metric_<name>.

    Args:
        history: What came of the run.
        objective: The metric that ranks, and its direction.
        slots: The columns of the parameters. A column whose journaled values are not all of its type holds
            them as they are, as json columns do.
        tested: What trials are worth on the test set: see ``evaluations.current``.
    """
    places = ranking(history, objective)
    trials = [place.trial for place in places]
    bests = [place.best for place in places]
    taken = set(_FIXED)
    columns: dict[str, Any] = {
        "rank": _array([place.rank for place in places], "Int64"),
        "trial": np.array([trial.trial for trial in trials], dtype=np.int64),
        "status": _array([trial.status.value for trial in trials], "string"),
        _claim(objective.metric, "metric_", taken): _metric(bests, objective.metric),
        "best_epoch": _array([best.epoch if best else None for best in bests], "Int64"),
        "epochs": _array([len(trial.epochs) for trial in trials], "Int64"),
        "seconds": np.array([trial.seconds for trial in trials], dtype=np.float64),
    }
    for slot in slots:
        values = [slot.value(trial.config) for trial in trials]
        columns[_claim(slot.label, "param_", taken)] = _typed(values, slot.dtype)
    for metric in _metric_names(history):
        if metric != objective.metric:
            columns[_claim(metric, "metric_", taken)] = _metric(bests, metric)
    evaluated = [(tested or {}).get(trial.trial) for trial in trials]
    for metric in dict.fromkeys(chain.from_iterable(scores.metrics for scores in evaluated if scores)):
        values = [scores.metrics.get(metric) if scores else None for scores in evaluated]
        columns[_claim(on_test_set(metric), "metric_", taken)] = _array(values, "Float64")
    columns["node"] = _array([trial.node for trial in trials], "string")
    columns["error"] = _array([_one_line(trial.error) for trial in trials], "string")
    return pd.DataFrame(columns)


def _claim(name: str, prefix: str, taken: set[str]) -> str:
    while name in taken:
        name = prefix + name
    taken.add(name)
    return name


def _metric_names(history: History) -> Iterable[str]:
    epochs = (epoch for trial in history.trials.values() for epoch in trial.epochs.values())
    return dict.fromkeys(chain.from_iterable(epoch.metrics for epoch in epochs))


def _metric(bests: Sequence[EpochReported | None], metric: str) -> Any:
    return _array([best.metrics.get(metric) if best else None for best in bests], "Float64")


def _typed(values: list[Any], dtype: str) -> Any:
    # pandas would turn True and 1.0 into 1 to make them fit: what does not fit is kept as it is.
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
