"""The selection of what is evaluated: the code that builds the models, the trials, and their weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from trainables.tensorflow_log import quiet_tensorflow
from tune_jobs.base.user_code import instance_of, user_code
from tune_jobs.errors import RequestError
from tune_jobs.experiment.code_fingerprint import code_differences
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.record import accept_changes, differences
from tune_jobs.results.find import load_run
from tune_jobs.results.models import Weights, best_weights, has_weights
from tune_jobs.results.ranking import RankedTrial, ranking, without_best
from tune_jobs.results.run import Run

if TYPE_CHECKING:
    from trainables import Data, KerasTrainable

Declared: TypeAlias = Experiment | type["KerasTrainable"]
_MAX_LISTED_TRIALS = 20


def as_run(run: Run | str | Path) -> Run:
    """Return the run itself, or the run in a folder or at a URI."""
    return run if isinstance(run, Run) else load_run(run)


def trainable_of(declared: Declared, run: Run, *, force: bool) -> type[KerasTrainable]:
    """Return the class that builds the models of a run.

    Args:
        declared: The experiment, or its trainable.
        run: The run.
        force: Whether a changed space or changed code is accepted.

    Raises:
        RequestError: Space or code have changed since the run, and ``force`` is False. If it is True, a warning
            says what has changed.
    """
    if isinstance(declared, Experiment):
        trainable, changed = declared.trainable, differences(declared, run.experiment)
    else:
        trainable, changed = declared, code_differences(declared, run.experiment)
    accept_changes(changed, "Undo that, or go on all the same with --force (in Python: force=True).", force=force)
    quiet_tensorflow()  # before anything imports it
    return trainable


def select_trial(run: Run, trial: int | None) -> RankedTrial:
    """Return a trial of a run with its rank.

    Args:
        run: The run.
        trial: The number of the trial; None: the best.

    Raises:
        RequestError: There is no such trial, or it never had a finite objective; or no trial keeps the constraints.
    """
    ranked = ranking(run.history(), run.objective)
    if trial is None:
        if reason := without_best(ranked, run.name, run.objective):
            raise RequestError(reason)
        return ranked[0]
    selected = next((row for row in ranked if row.trial.trial == trial), None)
    if selected is None:
        existing = sorted(row.trial.trial for row in ranked)
        raise RequestError(f"The run {run.name} has no trial {trial}. {_listed('It has', existing)}")
    if selected.best is None:
        with_rank = [row.trial.trial for row in ranked if row.best]
        raise RequestError(
            f"Trial {trial} of the run {run.name} never had a finite {run.objective.metric}, so no epoch of it is the "
            f"best. {_listed('Trials with a rank', with_rank)}"
        )
    return selected


def select_with_weights(run: Run, trial: int | None, top: int | None) -> list[RankedTrial]:
    """Return one trial of a run, or the best ones, and make sure that they have weights.

    Args:
        run: The run. If it lies in an object store, its weights are copied to this machine.
        trial: The number of the trial; None: the best, or the best ``top``.
        top: The number of the best trials; None: one trial.

    Raises:
        RequestError: There is no such trial, one of them left no weights, or both ``trial`` and ``top`` are given.
    """
    if trial is not None and top is not None:
        raise RequestError("Both a trial and a number of best trials are given, but only one of the two may be.")
    selected = [select_trial(run, trial)]
    if top is not None:
        selected = [row for row in ranking(run.history(), run.objective) if row.best][:top]
    run.bring_weights()
    missing = [row.trial.trial for row in selected if not has_weights(run.folder, row.trial.trial)]
    if missing:
        with_weights = [number for number in run.history().trials if has_weights(run.folder, number)]
        without = ", ".join(map(str, missing))
        raise RequestError(
            f"The run {run.name} has no weights (any more) of trial {without}. "
            f"{_listed('Trials with weights', with_weights)}"
        )
    return selected


def restore_model(
    run: Run, ranked: RankedTrial, trainable: type[KerasTrainable], data: Data | None
) -> tuple[Any, Weights]:
    """Return the compiled model of a trial with the weights of its best epoch, and those weights.

    Args:
        run: The run.
        ranked: The trial.
        trainable: The class that builds the model.
        data: The data, for a model that is built for them, or whose layers get their shapes from the first examples, if
            its checkpoint does not describe any; None: they are loaded if the model is of that kind.

    Raises:
        RequestError: The trial left no weights, or they do not fit the model.
    """
    from trainables.reuse.input_cache import InputCache
    from trainables.training.view import build_outside_of_a_run
    from tune_jobs.engine.data import load_data

    builder, config = instance_of(trainable), dict(ranked.trial.config)
    weights = best_weights(run.folder, ranked.trial.trial)

    @cache
    def trained_on() -> Data:
        part = (data or load_data(trainable)).part(float(run.experiment.get("fraction", 1.0)))
        return data_of_trial(builder, part, config)

    with user_code(f"{trainable.__name__}.build_model"):
        model = build_outside_of_a_run(builder, config, trained_on)
    name = f"the model that {trainable.__name__}.build_model makes now"
    weights.load_into(model, name, lambda: InputCache(trained_on()).example(model, builder.batch_size))
    return model, weights


def data_of_trial(builder: KerasTrainable, data: Data, config: Mapping[str, Any]) -> Data:
    """Return the data as a configuration needs it.

    Args:
        builder: The trainable, which prepares the data.
        data: The data of the run.
        config: The configuration.

    Raises:
        RequestError: ``prepare`` raised, or returned something else than ``Data``.
    """
    from trainables import InvalidTrainable
    from trainables.training.model import prepared

    with user_code(f"{type(builder).__name__}.prepare"):
        try:
            return prepared(builder, data, config)
        except InvalidTrainable as error:
            raise RequestError(str(error)) from error


def _listed(title: str, trials: list[int]) -> str:
    if not trials:
        return f"{title}: none."
    more = ", …" if len(trials) > _MAX_LISTED_TRIALS else ""
    return f"{title}: {', '.join(map(str, trials[:_MAX_LISTED_TRIALS]))}{more}."
