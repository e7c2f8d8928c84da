"""Earlier results from a run of this project."""

from __future__ import annotations

from search_spaces.messages import did_you_mean
from trainables.report import has_objective
from tune_jobs.base.objective import Objective
from tune_jobs.engine.earlier_results.source import EarlierResult, EarlierSearch, WarmStart, labelled
from tune_jobs.errors import RequestError
from tune_jobs.results import History, JournalError, Status, TrialHistory
from tune_jobs.results.run import Run


def read_run(run: Run, how: WarmStart, objective: Objective) -> EarlierSearch:
    """Return the results of a run.

    Args:
        run: The run.
        how: The way in which it is taken.
        objective: The objective of the new run.

    Raises:
        RequestError: The run had another objective, or cannot be read.
    """
    metric, other = how.metric or objective.metric, run.objective
    if (how.metric is None or metric == other.metric) and (other.metric, other.mode) != (metric, objective.mode):
        named = "" if how.metric or other.metric == metric else f", or name its metric: WarmStart(…, metric={metric!r})"
        raise RequestError(
            f"The run {run.name} was for {other.metric} ({other.mode}), but this one is for {metric} "
            f"({objective.mode}): leave it out of the warm start{named}."
        )
    try:
        history = run.history()
    except JournalError as error:
        raise RequestError(str(error)) from error
    if how.metric is not None and (problem := _metric_problem(run, history, metric)):
        raise RequestError(problem)
    max_epochs = run.experiment.get("max_epochs")
    return EarlierSearch(
        run.name,
        [_result(trial, metric) for trial in history.trials.values()],
        frozenset(run.space.parameters),
        max_epochs if isinstance(max_epochs, int) else None,
    )


def _metric_problem(run: Run, history: History, metric: str) -> str | None:
    metrics = {
        name: None for trial in history.trials.values() for epoch in trial.epochs.values() for name in epoch.metrics
    }
    if not metrics or metric in metrics:
        return None
    return f"The run {run.name} reported no {metric}: {did_you_mean(metric, metrics)}."


def _result(trial: TrialHistory, metric: str) -> EarlierResult:
    objective = {
        epoch.epoch: epoch.metrics[metric] for epoch in trial.epochs.values() if has_objective(epoch.metrics, metric)
    }
    status = trial.status
    if trial.ended_s is None or status is Status.INTERRUPTED:
        status = Status.RUNNING
    elif (
        status is Status.COMPLETED and not objective and any(metric in epoch.metrics for epoch in trial.epochs.values())
    ):
        status = Status.FAILED  # searchers hear so of a trial of their own run, too
    metrics = {epoch.epoch: epoch.metrics for epoch in trial.epochs.values()}
    return EarlierResult(trial.trial, labelled(trial.config), objective, status, trial.reason or "", metrics)
