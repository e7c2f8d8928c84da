"""Earlier results from a study of Optuna."""

from __future__ import annotations

import math
import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_spaces.messages import short_repr
from trainables.settings import Mode
from tune_jobs.base.objective import Objective, direction
from tune_jobs.base.words import first_sentences
from tune_jobs.engine.earlier_results.source import EarlierResult, EarlierSearch, WarmStart
from tune_jobs.errors import RequestError
from tune_jobs.results import Status

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

_URL = re.compile(r"(sqlite|mysql|mariadb|postgres|postgresql|mssql|oracle|cockroachdb)(\+\w+)?://")
_PASSWORD = re.compile(r"(://[^/@:]*):[^/@]*@")
_FILE = re.compile(r"sqlite(?:\+\w+)?:///([^?#]+)")


def is_storage(source: object) -> bool:
    """Return whether a source is the URL of a storage of Optuna."""
    return isinstance(source, str) and _URL.match(source) is not None


def absolute_storage(url: str) -> str:
    """Return the URL of a storage; a file is named by its whole path."""
    file = _FILE.match(url)
    return url if file is None else f"sqlite:///{Path(file[1]).absolute()}{url[file.end() :]}"


def read_study(url: str, how: WarmStart, objective: Objective, max_epochs: int) -> EarlierSearch:
    """Return the results of a study. The storage is only read.

    Args:
        url: The URL of the storage, to which ``#NAME`` may add the study.
        how: The way in which it is taken.
        objective: The objective of the new run.
        max_epochs: The number of epochs of a trial of the new run: a value without a step counts there.

    Raises:
        RequestError: Optuna is not installed, the storage cannot be read, it has no such study, or the study has
            another direction, another metric, or several objectives.
    """
    storage, _, named = url.partition("#")
    shown = _PASSWORD.sub(r"\1:***@", storage)
    if find_spec("optuna") is None:
        raise RequestError(f"{shown} needs optuna, which is not installed: pip install 'tune-jobs[optuna]'.")
    file = _FILE.match(storage)
    if file is not None and not Path(file[1]).is_file():  # Optuna would make it
        raise RequestError(f"{shown} cannot be read: there is no file {file[1]}.")
    import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        names = optuna.get_all_study_names(storage)
        name = _chosen(names, how.study or named or None, shown)
        study = optuna.load_study(study_name=name, storage=storage)
        trials = study.get_trials(deepcopy=False)
        if problem := _objective_problem(study, how, objective, name):
            raise RequestError(problem)
    except RequestError:
        raise
    except Exception as error:
        raise RequestError(f"{shown} cannot be read as a storage of Optuna ({first_sentences(error)}).") from error
    finally:
        optuna.logging.set_verbosity(verbosity)
    steps = [step for trial in trials for step in trial.intermediate_values]
    first = min(steps, default=1)  # Optuna's users count from 0 or from 1
    shift = 1 if first == 0 else 0
    results = [_result(trial, shift, max_epochs) for trial in trials]
    parameters = frozenset(label for trial in trials for label in trial.params)
    return EarlierSearch(f"the study {name}", results, parameters, max(steps) + shift if steps else None)


def _chosen(names: list[str], wanted: str | None, storage: str) -> str:
    """Return the name of the study.

    Raises:
        RequestError: There is no such study, or nobody has said which of several is meant.
    """
    if not names:
        raise RequestError(f"{storage} has no studies.")
    listed = ", ".join(sorted(names)[:20]) + (", …" if len(names) > 20 else "")
    if wanted is None and len(names) > 1:
        raise RequestError(f"{storage} has {len(names)} studies: {listed}. Name one: {storage}#NAME.")
    if wanted is not None and wanted not in names:
        raise RequestError(f"{storage} has no study {short_repr(wanted)}. There are: {listed}.")
    return wanted or names[0]


def _objective_problem(study: Study, how: WarmStart, objective: Objective, name: str) -> str | None:
    if len(study.directions) > 1:
        return f"The study {name} has {len(study.directions)} objectives, but a warm start needs one: leave it out."
    mode: Mode = "max" if study.direction.name == "MAXIMIZE" else "min"
    if mode != objective.mode:
        return (
            f"In the study {name} {direction(mode)} ({mode}), but this run is for {objective.metric} "
            f"({objective.mode}): leave it out of the warm start."
        )
    metrics: Any = study.metric_names or study.user_attrs.get("metric")  # the latter is written by export_study
    metric = metrics[0] if isinstance(metrics, list) and metrics else metrics
    if isinstance(metric, str) and metric != (how.metric or objective.metric):
        return (
            f"The study {name} was for {metric} ({mode}), but this run is for {objective.metric} ({objective.mode}): "
            f"leave it out of the warm start, or name its metric: WarmStart(…, metric={metric!r})."
        )
    return None


def _result(trial: FrozenTrial, shift: int, max_epochs: int) -> EarlierResult:
    from optuna.trial import TrialState

    states = {
        TrialState.COMPLETE: Status.COMPLETED,
        TrialState.PRUNED: Status.STOPPED,
        TrialState.FAIL: Status.FAILED,
    }
    values = {
        step + shift: value
        for step, value in sorted(trial.intermediate_values.items())
        if value is not None and math.isfinite(value) and step + shift > 0
    }
    status = states.get(trial.state, Status.RUNNING)
    if status in (Status.COMPLETED, Status.STOPPED) and trial.value is not None and math.isfinite(trial.value):
        values[max(values, default=max_epochs)] = trial.value
    return EarlierResult(trial.number, dict(trial.params), values, status, trial.state.name.lower())
