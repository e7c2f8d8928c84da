"""The best trials of a run on the test set, which no searcher, scheduler or early stopping ever saw."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tune_jobs.engine.driver import load_data
from tune_jobs.evaluation.scoring import Scored, check_test_set, score
from tune_jobs.evaluation.selection import Declared, as_run, places_with_weights, trainable_of, trained_model
from tune_jobs.host.capacity import this_machine
from tune_jobs.host.output import redirect_output
from tune_jobs.results import evaluations
from tune_jobs.results.evaluations import Scores
from tune_jobs.results.layout import EVALUATION_LOG
from tune_jobs.results.ranking import RankedTrial
from tune_jobs.results.run import Run

if TYPE_CHECKING:
    from trainables import Data, KerasTrainable


@dataclass(frozen=True)
class Evaluation:
    """A trial on the test set.

    Attributes:
        run: The run.
        place: The trial, with its rank and its best epoch when it was evaluated.
        epoch: The epoch that its weights are of: the best one, unless the newest checkpoint is older.
        scored: What they are worth.
        path: The file that says so.
    """

    run: Run
    place: RankedTrial
    epoch: int
    scored: Scored
    path: Path


def evaluate(
    run: Run | str | Path,
    declared: Declared,
    *,
    trial: int | None = None,
    top: int | None = None,
    force: bool = False,
) -> list[Evaluation]:
    """Evaluates the weights of the best epochs on the test set, and writes the results beside the run.

    Args:
        run: The run, or its folder.
        declared: The experiment, or its trainable: code is never taken from a run's folder.
        trial: Which trial; by default the best.
        top: How many of the best trials, instead of one.
        force: Go on although the space or the code has changed.

    Returns:
        The evaluations, that of the best trial first. The leaderboard has their metrics from now on.

    Raises:
        RequestError: There is no test set, no such trial, no weights, or the code is another; nothing was written.
    """
    return evaluate_runs([as_run(run)], declared, trial=trial, top=top, force=force)


def evaluate_runs(
    runs: Sequence[Run], declared: Declared, *, trial: int | None = None, top: int | None = None, force: bool = False
) -> list[Evaluation]:
    """Evaluates the best trials of several runs of one experiment, whose data is loaded once.

    Args:
        runs: The runs, such as the repeats of a group.
        declared: As of ``evaluate``.
        trial: Which trial of each.
        top: How many of the best trials of each.
        force: As of ``evaluate``.

    Returns:
        The evaluations, that with the best objective first: the test set chooses none.

    Raises:
        RequestError: As of ``evaluate``, for all runs before anything is evaluated.
    """
    from trainables.devices import prepare as devices

    trainables = [trainable_of(declared, run, force=force) for run in runs]
    trainable = trainables[0]
    places = [(run, place) for run in runs for place in places_with_weights(run, trial, top)]
    with redirect_output(runs[0].folder / EVALUATION_LOG):
        devices.prepare(this_machine().cpus, None)
        data = load_data(trainable)
        check_test_set(data, trainable.__name__)
        found = [_evaluated(run, place, trainable, data) for run, place in places]
    return sorted(found, key=_validation_loss)


def _evaluated(run: Run, place: RankedTrial, trainable: type[KerasTrainable], data: Data) -> Evaluation:
    model, epoch = trained_model(run, place, trainable, data)
    options = trainable.standalone().fit_options(dict(place.trial.config))
    scored = score(model, data, options.validation_batch_size)
    return Evaluation(run, place, epoch, scored, _written(run, place, epoch, scored))


def _validation_loss(evaluation: Evaluation) -> float:
    objective, best = evaluation.run.objective, evaluation.place.best
    value = best.metrics[objective.metric] if best else math.inf
    return objective.loss(value)


def _written(run: Run, place: RankedTrial, epoch: int, scored: Scored) -> Path:
    scores = Scores(place.trial.trial, epoch, scored.examples, time.time(), scored.metrics)
    path = evaluations.write(run.folder, scores, {name: report.to_json() for name, report in scored.reports.items()})
    run.publish(path)
    return path
