"""Earlier results from a search that KerasTuner itself has left in a folder."""

from __future__ import annotations

import math
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

from search_spaces.messages import did_you_mean
from trainables.settings import Mode
from tune_jobs.base.objective import Objective, direction
from tune_jobs.engine.earlier_results.source import EarlierResult, EarlierSearch, WarmStart
from tune_jobs.errors import RequestError
from tune_jobs.results import Status

_EPOCHS = "tuner/epochs"  # Hyperband's number of epochs


def is_keras_tuner_search(folder: Path) -> bool:
    """Return whether a folder holds a search of KerasTuner itself."""
    return bool(_theirs().is_theirs(folder))


def read_keras_tuner_search(folder: Path, how: WarmStart, objective: Objective, max_epochs: int) -> EarlierSearch:
    """Return the results of a search of KerasTuner. Nothing in the folder is executed.

    KerasTuner keeps the best epoch of a trial. It counts as the result of a whole training, and with Hyperband as that
    of as many epochs as the trial was given.

    Args:
        folder: The folder, directory/project_name.
        how: The way in which it is taken.
        objective: The objective of the new run.
        max_epochs: The number of epochs of a trial of the new run.

    Raises:
        RequestError: The folder is damaged, or the search did not measure the objective, or in the other direction.
    """
    theirs = _theirs()
    search = theirs.read_search(folder)
    metric = how.metric or objective.metric
    metrics = {name: None for trial in search.trials for epoch in trial.epochs.values() for name in epoch}
    if metrics and metric not in metrics:
        raise RequestError(f"{folder} has no {metric}, which is the objective: {did_you_mean(metric, metrics)}.")
    for trial in search.trials:
        theirs_mode = trial.directions.get(metric)
        if theirs_mode in get_args(Mode) and theirs_mode != objective.mode:
            raise RequestError(
                f"{folder} was for {metric} ({theirs_mode}), but for this run {direction(objective.mode)} "
                f"({objective.mode}): leave it out of the warm start, or correct the mode of the objective."
            )
    names = import_module("tune_jobs.keras_tuner.define_by_run.parameter")
    results = [
        _result(number, trial, objective, metric, max_epochs, names) for number, trial in enumerate(search.trials)
    ]
    parameters = frozenset(names.identifier(one.name) for one in search.space)
    return EarlierSearch(str(folder), results, parameters, has_epochs=False)


def _result(number: int, trial: Any, objective: Objective, metric: str, max_epochs: int, names: Any) -> EarlierResult:
    found = [metrics[metric] for metrics in trial.epochs.values() if math.isfinite(metrics.get(metric, math.nan))]
    status = {"COMPLETED": Status.COMPLETED, "FAILED": Status.FAILED, "INVALID": Status.FAILED}.get(
        trial.status, Status.RUNNING
    )
    epochs = trial.values.get(_EPOCHS)
    epoch = epochs if isinstance(epochs, int) and epochs > 0 else 0
    if status is Status.COMPLETED and epoch:
        status = Status.STOPPED
    values = {names.identifier(name): names.plain(value) for name, value in trial.values.items() if "/" not in name}
    best = objective.best(found, float)
    return EarlierResult(number, values, {} if best is None else {min(epoch, max_epochs): best}, status, trial.status)


def _theirs() -> Any:
    # By its name: KerasTuner's names stand above the engine, and only such a folder needs them.
    return import_module("tune_jobs.keras_tuner.projects.theirs")
