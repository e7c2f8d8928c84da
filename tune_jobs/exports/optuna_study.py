"""A study of Optuna made of a run, for Optuna's dashboard and plots."""

from __future__ import annotations

import json
import math
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from search_spaces import Slot
from search_spaces.parameters import Float, Int
from search_spaces.slots import SlotKey
from tune_jobs.errors import RequestError
from tune_jobs.results.history import TrialHistory
from tune_jobs.results.journal.events import Status
from tune_jobs.results.run import Run

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

_PLAIN = (type(None), bool, int, float, str)


def export_study(run: Run, storage: str, name: str | None = None) -> int:
    """Write a run as a study of Optuna: parameters, values at every epoch, results.

    Stopped trials are pruned ones, with the best value that they had reached. Trials that failed or diverged are
    failures. A parameter that is not active is left out of its trial, as in a conditional search of Optuna. Elements of
    lists are parameters of their own (``units_0``). A value that Optuna does not know, such as a list, is JSON text.

    Args:
        run: The run.
        storage: Optuna's storage, such as ``sqlite:///study.db``.
        name: The name of the study; None: the name of the run.

    Returns:
        The number of trials.

    Raises:
        RequestError: Optuna is not installed, the storage cannot be used, or it has a study of that name.
        JournalError: The journal is damaged, and not by a crash.

    Example:
        >>> import tune_jobs
        >>> run = tune_jobs.load_run("runs/digits")
        >>> tune_jobs.export_study(run, "sqlite:///study.db")
        4
    """
    check_optuna()
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study_name = name or run.name
    direction: Literal["maximize", "minimize"] = "maximize" if run.objective.loss(1.0) < 0 else "minimize"
    trials = list(_frozen(run))
    try:
        study = optuna.create_study(storage=storage, study_name=study_name, direction=direction)
    except optuna.exceptions.DuplicatedStudyError as error:
        raise RequestError(
            f"{storage} has a study {study_name!r} already: choose another --study, or remove that one."
        ) from error
    except Exception as error:
        raise RequestError(f"{storage} cannot be used as a storage of Optuna ({error}).") from error
    study.set_user_attr("run", str(run.location) if run.remote is None else run.name)
    study.set_user_attr("metric", run.objective.metric)
    study.add_trials(trials)
    return len(trials)


def check_optuna() -> None:
    """Check that a study can be written.

    Raises:
        RequestError: Optuna is not installed.
    """
    if find_spec("optuna") is None:
        raise RequestError("A study needs optuna, which is not installed: pip install 'tune-jobs[optuna]'.")


def _frozen(run: Run) -> list[FrozenTrial]:
    slots = run.space.slots()
    distributions = {(slot.name, slot.index): _distribution(slot) for slot in slots}
    return [_trial(run, trial, slots, distributions) for trial in run.history().trials.values()]


def _trial(
    run: Run, trial: TrialHistory, slots: tuple[Slot, ...], distributions: dict[SlotKey, BaseDistribution]
) -> FrozenTrial:
    from optuna.trial import FrozenTrial, TrialState

    best = trial.best(run.objective)
    value = best.metrics[run.objective.metric] if best else None
    states = {
        Status.STOPPED: TrialState.PRUNED,
        Status.RUNNING: TrialState.RUNNING,
        Status.PAUSED: TrialState.RUNNING,
    }
    state = states.get(trial.status, TrialState.FAIL)
    if trial.status is Status.COMPLETED and value is not None:
        state = TrialState.COMPLETE
    params: dict[str, Any] = {}
    used: dict[str, BaseDistribution] = {}
    for slot in slots:
        key = (slot.name, slot.index)
        found = _value(slot, trial.config, distributions[key])
        if found is not None:
            params[slot.label], used[slot.label] = found[0], distributions[key]
    attributes = {"status": trial.status.value, "reason": trial.reason, "error": trial.error, "node": trial.node}
    intermediate = {
        epoch.epoch: epoch.metrics[run.objective.metric]
        for epoch in trial.epochs.values()
        if run.objective.metric in epoch.metrics
    }
    ended_s = trial.ended_s if trial.ended_s is not None else trial.started_s
    return FrozenTrial(
        number=-1,
        trial_id=-1,
        state=state,
        value=value if state in (TrialState.COMPLETE, TrialState.PRUNED) else None,
        datetime_start=datetime.fromtimestamp(trial.started_s),
        datetime_complete=None if state is TrialState.RUNNING else datetime.fromtimestamp(ended_s),
        params=params,
        distributions=used,
        user_attrs={**attributes, "trial": trial.trial, "config": json.dumps(dict(trial.config))},
        system_attrs={},
        intermediate_values=intermediate,
    )


def _distribution(slot: Slot) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    parameter = slot.parameter
    is_range = isinstance(parameter, Float | Int) and not (parameter.log and parameter.step is not None)
    if is_range and isinstance(parameter, Int):
        return IntDistribution(parameter.lower, parameter.upper, log=parameter.log, step=parameter.step or 1)
    if is_range and isinstance(parameter, Float):
        return FloatDistribution(parameter.lower, parameter.upper, log=parameter.log, step=parameter.step)
    return CategoricalDistribution(_choices(list(parameter.grid() or ())))


def _choices(values: list[Any]) -> list[Any]:
    """Return the values as Optuna takes them: it knows plain values only, and does not tell 1 from True."""
    is_plain = all(isinstance(value, _PLAIN) for value in values)
    are_distinct = is_plain and len(set(values)) == len(values)
    return values if are_distinct else [json.dumps(value) for value in values]


def _value(slot: Slot, config: Any, distribution: BaseDistribution) -> tuple[Any] | None:
    """Return the value of a slot, or None if the parameter is not active, or has a value that the space does not."""
    value = config.get(slot.name)
    if slot.name not in config:
        return None
    for index in slot.index:
        if not isinstance(value, list | tuple) or index >= len(value):
            return None
        value = value[index]
    if value is None and slot.parameter.problem_with(None) is not None:
        return None  # an element of a list that is not active
    choices = getattr(distribution, "choices", None)
    if choices is not None:
        for known, choice in zip(slot.parameter.grid() or (), choices, strict=False):
            if json.dumps(known) == json.dumps(value):
                return (choice,)
        return None
    is_number = type(value) in (int, float) and math.isfinite(value)
    return (value,) if is_number and slot.parameter.problem_with(value) is None else None
