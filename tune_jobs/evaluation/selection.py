"""What is evaluated: which code, and which trials of a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tune_jobs.errors import RequestError
from tune_jobs.experiment.code_fingerprint import code_differences
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.record import differences, refusal
from tune_jobs.results.find import load_run
from tune_jobs.results.models import best_weights, has_weights
from tune_jobs.results.ranking import RankedTrial, ranking
from tune_jobs.results.run import Run

if TYPE_CHECKING:
    from trainables import Data, KerasTrainable

Declared = Experiment | type["KerasTrainable"]
_MOST_NAMED = 20


def as_run(run: Run | str | Path) -> Run:
    """A run, or the run in a folder or at a URI."""
    return run if isinstance(run, Run) else load_run(run)


def trainable_of(declared: Declared, run: Run, *, force: bool) -> type[KerasTrainable]:
    """The class that built the run's models.

    Raises:
        RequestError: Space or code are not those that the run had, and nobody said ``force``.
    """
    if isinstance(declared, Experiment):
        trainable, changed = declared.trainable, differences(declared, run.experiment)
    else:
        trainable, changed = declared, code_differences(declared, run.experiment)
    if changed and not force:
        raise refusal(changed, "Undo that, or go on all the same with --force (in Python: force=True).")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before anything imports TensorFlow
    return trainable


def chosen_place(run: Run, trial: int | None) -> RankedTrial:
    """A trial's place on the leaderboard; by default the first.

    Raises:
        RequestError: There is no such trial, or it never had a finite objective.
    """
    places = ranking(run.history(), run.objective)
    if trial is None:
        if not places or places[0].best is None:
            raise RequestError(f"The run {run.name} has no trial with a finite {run.objective.metric} yet.")
        return places[0]
    place = next((place for place in places if place.trial.trial == trial), None)
    if place is None:
        there = sorted(place.trial.trial for place in places)
        raise RequestError(f"The run {run.name} has no trial {trial}. {_listed('It has', there)}")
    if place.best is None:
        ranked = [place.trial.trial for place in places if place.best]
        raise RequestError(
            f"Trial {trial} of the run {run.name} never had a finite {run.objective.metric}, so no epoch of it is the "
            f"best. {_listed('Ranked are', ranked)}"
        )
    return place


def places_with_weights(run: Run, trial: int | None, top: int | None) -> list[RankedTrial]:
    """The places of one trial, or of the best so many; by default of the best.

    Raises:
        RequestError: There is no such trial, or one of them left no weights.
    """
    if trial is not None and top is not None:
        raise RequestError("Both a trial and the best so many are asked for, but one of them must be enough.")
    places = [chosen_place(run, trial)]
    if top is not None:
        places = [place for place in ranking(run.history(), run.objective) if place.best][:top]
    run.bring_weights()
    missing = [place.trial.trial for place in places if not has_weights(run.folder, place.trial.trial)]
    if missing:
        with_weights = [number for number in run.history().trials if has_weights(run.folder, number)]
        without = ", ".join(map(str, missing))
        raise RequestError(
            f"The run {run.name} has no weights (any more) of trial {without}. {_listed('Weights have', with_weights)}"
        )
    return places


def trained_model(run: Run, place: RankedTrial, trainable: type[KerasTrainable], data: Data | None) -> tuple[Any, int]:
    """The compiled model of a trial with the weights of its best epoch, and that epoch.

    Args:
        run: The run.
        place: The trial.
        trainable: Who builds the model.
        data: For a model whose layers get their shapes from what they see first; None: loaded if it is such a model.

    Raises:
        RequestError: The trial left no weights, or they do not fit the model.
    """
    import keras

    from tune_jobs.engine.driver import load_data

    number = place.trial.trial
    weights = best_weights(run.folder, number)
    model = trainable.standalone().build_model(dict(place.trial.config))
    if not model.built:
        x = (data or load_data(trainable)).train[0]
        model(keras.tree.map_structure(lambda array: array[:1], x))
    try:
        model.set_weights(weights.arrays)
    except ValueError as error:
        raise RequestError(
            f"The weights of trial {number} do not fit the model that {trainable.__name__}.build_model makes now "
            f"({error}): undo what was changed in it."
        ) from error
    return model, weights.epoch


def _listed(what: str, trials: list[int]) -> str:
    if not trials:
        return f"{what}: none."
    more = ", …" if len(trials) > _MOST_NAMED else ""
    return f"{what}: {', '.join(map(str, trials[:_MOST_NAMED]))}{more}."
