"""The best trials of a run on the test set, which no searcher, scheduler or early stopping ever saw."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tune_jobs.base.user_code import instance_of, user_code
from tune_jobs.engine.data import load_data
from tune_jobs.evaluation.scoring import Scored, check_test_set, score
from tune_jobs.evaluation.selection import (
    Declared,
    as_run,
    data_of_trial,
    restore_model,
    select_with_weights,
    trainable_of,
)
from tune_jobs.host.capacity import this_machine
from tune_jobs.host.output import redirect_output
from tune_jobs.host.surroundings import preserved
from tune_jobs.results import evaluations
from tune_jobs.results.evaluations import Scores
from tune_jobs.results.layout import EVALUATION_LOG
from tune_jobs.results.ranking import RankedTrial
from tune_jobs.results.run import Run

if TYPE_CHECKING:
    from trainables import Data, KerasTrainable


@dataclass(frozen=True)
class Evaluation:
    """The evaluation of a trial on the test set.

    Attributes:
        run: The run.
        ranked: The trial, with its rank and its best epoch at the time of the evaluation.
        epoch: The epoch of the weights: the best one, unless the newest checkpoint is older.
        scored: The scores and reports.
        path: The file with the scores.
    """

    run: Run
    ranked: RankedTrial
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
    """Evaluate the weights of the best epochs on the test set, and write the scores into the run's folder.

    Args:
        run: The run, or its folder or URI.
        declared: The experiment, or its trainable: code is never taken from a run's folder.
        trial: The number of the trial; None: the best.
        top: The number of the best trials to evaluate, instead of one trial.
        force: Whether to go on although the space or the code has changed.

    Returns:
        The evaluations, that of the best trial first. From now on the leaderboard has their metrics.

    Raises:
        RequestError: There is no test set, no such trial or no weights, or the code has changed. Nothing was written.

    Example:
        >>> import tune_jobs
        >>> from tune_jobs.examples.digits_mlp import EXPERIMENT
        >>> (evaluation,) = tune_jobs.evaluate("runs/digits", EXPERIMENT)
        >>> evaluation.scored.examples, list(evaluation.scored.metrics)
        (360, ['loss', 'accuracy'])
        >>> "test_accuracy" in tune_jobs.load_run("runs/digits").leaderboard().columns
        True
    """
    return evaluate_runs([as_run(run)], declared, trial=trial, top=top, force=force)


def evaluate_runs(
    runs: Sequence[Run], declared: Declared, *, trial: int | None = None, top: int | None = None, force: bool = False
) -> list[Evaluation]:
    """Evaluate the best trials of several runs of one experiment, and load its data only once.

    Args:
        runs: The runs, such as the repeats of a group.
        declared: As for ``evaluate``.
        trial: The number of the trial, of each run; None: the best.
        top: The number of the best trials of each run.
        force: As for ``evaluate``.

    Returns:
        The evaluations, that with the best objective first: the test set chooses nothing.

    Raises:
        RequestError: As for ``evaluate``, for all runs before anything is evaluated.
    """
    from trainables.devices import prepare as devices

    trainables = [trainable_of(declared, run, force=force) for run in runs]
    trainable = trainables[0]
    selected = [(run, ranked) for run in runs for ranked in select_with_weights(run, trial, top)]
    with preserved(), redirect_output(runs[0].folder / EVALUATION_LOG):
        devices.prepare(this_machine().cpus, None)
        data = load_data(trainable)
        check_test_set(data, f"{trainable.__name__}.load_data")
        evaluated = [_evaluate(run, ranked, trainable, data) for run, ranked in selected]
    return sorted(evaluated, key=_objective_as_loss)


def _evaluate(run: Run, ranked: RankedTrial, trainable: type[KerasTrainable], data: Data) -> Evaluation:
    builder, config = instance_of(trainable), dict(ranked.trial.config)
    seen = data_of_trial(builder, data, config)
    check_test_set(seen, f"{trainable.__name__}.prepare")
    model, weights = restore_model(run, ranked, trainable, data)
    with user_code(f"{trainable.__name__}.fit_options"):
        options = builder.fit_options(dict(config))
    scored = score(model, seen, options.validation_batch_size)
    return Evaluation(run, ranked, weights.epoch, scored, _write(run, ranked, weights.epoch, scored))


def _objective_as_loss(evaluation: Evaluation) -> float:
    objective, best = evaluation.run.objective, evaluation.ranked.best
    return objective.loss(best.metrics[objective.metric]) if best else math.inf


def _write(run: Run, ranked: RankedTrial, epoch: int, scored: Scored) -> Path:
    scores = Scores(ranked.trial.trial, epoch, scored.examples, time.time(), scored.metrics)
    path = evaluations.write(run.folder, scores, {name: report.to_json() for name, report in scored.reports.items()})
    run.publish(path)
    return path
