"""Warm start: the trials of other runs from which the searcher of a new run learns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from trainables.report import has_objective
from tune_jobs.base.objective import Objective, losses_of
from tune_jobs.engine.decisions.failures import FAILED_STATUSES
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import EpochReported, Event, Status, TrialEnded, TrialHistory, TrialStarted
from tune_jobs.searchers import Search
from tune_jobs.searchers.base import number_of_other_run


@dataclass(frozen=True)
class TakenTrials:
    """The trials of one run that were taken for a new run.

    Attributes:
        run: The name of the run.
        trials: The numbers of the trials that were taken.
        of: The number of trials that the run has.
    """

    run: str
    trials: tuple[int, ...]
    of: int

    def __str__(self) -> str:
        return f"warm start: {len(self.trials)} of the {self.of} trials of {self.run}"

    def to_json(self) -> dict[str, Any]:
        """Return the entry for experiment.json."""
        return {"run": self.run, "trials": list(self.trials), "of": self.of}


def lesson(trial: TrialHistory, number: int, experiment: Experiment, other_max_epochs: object) -> list[Event]:
    """Return a trial of another run as events, reduced to what a searcher learns from.

    The trial counts as trained out (completed) only if it stopped itself: all epochs of a shorter run are fewer than
    all epochs of this run. A trial that completed without any finite objective counts as failed.

    Args:
        trial: The trial of the other run.
        number: The number of the trial among those taken.
        experiment: The experiment of the new run.
        other_max_epochs: The most epochs of a trial of the other run.

    Returns:
        The events; empty if the trial says nothing about the experiment: it lies outside of the space, has not ended,
        or cannot be compared with trials of the new run.
    """
    has_ended = trial.ended_s is not None and trial.status not in (Status.INTERRUPTED, Status.REFUSED)
    if not has_ended or not experiment.space.contains(dict(trial.config)):
        return []
    events = list(_events(trial, number, experiment, other_max_epochs))
    return events if _can_be_compared(events, experiment) else []


def teach(search: Search, lessons: Iterable[Event], goal: Objective, objectives: Sequence[Objective] = ()) -> None:
    """Tell a searcher about trials of other runs.

    Args:
        search: The searcher of the new run.
        lessons: Events that ``lesson`` returned.
        goal: The objective of the new run, with its constraints.
        objectives: The objectives of the new run, if there are several.
    """
    best: dict[int, tuple[float, ...]] = {}
    for event in lessons:
        match event:
            case TrialStarted():
                search.remember(number_of_other_run(event.trial), dict(event.config))
            case EpochReported(metrics=metrics) if has_objective(metrics, goal.metric):
                losses = losses_of(metrics, goal.judged_loss(metrics), objectives or (goal,))
                best[event.trial] = losses = min(best.get(event.trial, losses), losses, key=itemgetter(0))
                if len(objectives) > 1:
                    search.report_all(number_of_other_run(event.trial), event.epoch, losses)
                else:
                    search.report(number_of_other_run(event.trial), event.epoch, losses[0])
            case TrialEnded(status=status):
                failed, trained_out = status in FAILED_STATUSES, status is Status.COMPLETED
                search.end(number_of_other_run(event.trial), failed=failed, trained_out=trained_out)


def _events(trial: TrialHistory, number: int, experiment: Experiment, other_max_epochs: object) -> Iterator[Event]:
    metric = experiment.objective.metric
    needed = (metric, *experiment.needed_metrics)
    yield TrialStarted(time_s=trial.started_s, trial=number, config=trial.config, node=trial.node)
    for epoch in trial.epochs.values():
        is_whole = all(name in epoch.metrics for name in needed)
        if epoch.epoch <= experiment.max_epochs and is_whole and has_objective(epoch.metrics, metric):
            yield EpochReported(
                time_s=epoch.time_s,
                trial=number,
                epoch=epoch.epoch,
                metrics={name: epoch.metrics[name] for name in needed},
                seconds=epoch.seconds,
            )
    status = trial.status
    has_only_nan = any(metric in epoch.metrics for epoch in trial.epochs.values()) and not trial.best(
        experiment.objective
    )
    if status is Status.COMPLETED and has_only_nan:
        status = Status.FAILED  # searchers hear so of a trial of their own run, too
    elif status is Status.COMPLETED and len(trial.epochs) == other_max_epochs:
        status = Status.STOPPED
    ended_s = trial.started_s if trial.ended_s is None else trial.ended_s
    yield TrialEnded(time_s=ended_s, trial=number, status=status, reason=trial.reason or "", error=None)


def _can_be_compared(events: Sequence[Event], experiment: Experiment) -> bool:
    """Return whether a trial failed, stopped itself, or was seen at a rung of the new run.

    Otherwise a searcher would take it for one that still runs, for ever.
    """
    rungs = {*experiment.rungs, experiment.max_epochs}
    *_, end = events
    reported = [event.epoch for event in events if isinstance(event, EpochReported)]
    status = end.status if isinstance(end, TrialEnded) else None
    has_met_a_rung = bool(rungs.intersection(reported))
    return status in FAILED_STATUSES or has_met_a_rung or (status is Status.COMPLETED and bool(reported))
