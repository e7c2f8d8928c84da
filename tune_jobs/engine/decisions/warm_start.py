"""What a new run's searcher is told of trials that other runs have finished.

What was taken is kept in the new run's folder, as a journal of its own: to resume the run, the old ones are not needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainables.report import diverged_metric
from tune_jobs.base.objective import Objective
from tune_jobs.engine.decisions.failures import FAILED_STATUSES
from tune_jobs.errors import RequestError
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import (
    EpochReported,
    Event,
    JournalError,
    JournalWriter,
    Status,
    TrialEnded,
    TrialHistory,
    TrialStarted,
    read_journal,
)
from tune_jobs.results.layout import WARM_START_FILE
from tune_jobs.results.run import Run
from tune_jobs.searchers import Search


@dataclass(frozen=True)
class Taken:
    """How much of a run was taken.

    Attributes:
        run: Its name.
        trials: The numbers of the trials that were taken.
        of: How many it has.
    """

    run: str
    trials: tuple[int, ...]
    of: int

    def __str__(self) -> str:
        return f"warm start: {len(self.trials)} of the {self.of} trials of {self.run}"

    def to_json(self) -> dict[str, Any]:
        """Return the fields for ``experiment.json``."""
        return {"run": self.run, "trials": list(self.trials), "of": self.of}


def gather(runs: Sequence[Run], experiment: Experiment) -> tuple[list[Taken], list[Event]]:
    """The trials that say something about an experiment: see ``_says_something``.

    Returns:
        What was taken of each run, and the trials as events, numbered from 0 and reduced to what a searcher hears.

    Raises:
        RequestError: A run had another objective, or cannot be read, or the searcher goes by its own trials only.
    """
    taken: list[Taken] = []
    events: list[Event] = []
    problems: list[str] = []
    if runs and not experiment.searcher.WARM:
        problems.append(f"{type(experiment.searcher).__name__} cannot be told of other runs: leave the warm start out.")
    count = 0
    for run in runs:
        then, now = run.objective, experiment.objective
        if (then.metric, then.mode) != (now.metric, now.mode):
            problems.append(
                f"The run {run.name} was for {then.metric} ({then.mode}), but this one is for {now.metric} "
                f"({now.mode}): leave it out of the warm start."
            )
            continue
        try:
            trials = run.history().trials
        except JournalError as error:
            problems.append(str(error))
            continue
        numbers = []
        for trial in trials.values():
            lesson = list(_lesson(trial, count, experiment, then_epochs=run.experiment.get("max_epochs")))
            if _says_something(lesson, experiment):
                events += lesson
                numbers.append(trial.trial)
                count += 1
        taken.append(Taken(run.name, tuple(numbers), len(trials)))
    if problems:
        raise RequestError(*problems)
    return taken, events


def write(folder: Path, events: Iterable[Event]) -> None:
    """Keeps what was taken in the folder of the new run."""
    with JournalWriter(folder / WARM_START_FILE) as journal:
        for event in events:
            journal.write(event)


def read(folder: Path) -> list[Event]:
    """What a run was begun with.

    Raises:
        JournalError: The file is damaged.
    """
    path = folder / WARM_START_FILE
    return read_journal(path) if path.exists() else []


def teach(search: Search, lessons: Iterable[Event], objective: Objective) -> None:
    """Tells a searcher of earlier trials, under numbers below 0."""
    best: dict[int, float] = {}
    for event in lessons:
        match event:
            case TrialStarted():
                search.remember(-1 - event.trial, dict(event.config))
            case EpochReported(metrics=metrics) if _is_sound(metrics, objective.metric):
                loss = min(best.get(event.trial, math.inf), objective.loss(metrics[objective.metric]))
                best[event.trial] = loss
                search.report(-1 - event.trial, event.epoch, loss)
            case TrialEnded(status=status):
                failed, trained_out = status in FAILED_STATUSES, status is Status.COMPLETED
                search.end(-1 - event.trial, failed=failed, trained_out=trained_out)


def _lesson(trial: TrialHistory, number: int, experiment: Experiment, then_epochs: object) -> Iterator[Event]:
    """A trial as a searcher should hear of it.

    It counts as trained out (completed) only where it stopped itself: all epochs of a shorter run are not all of this.
    """
    if trial.ended_s is None or trial.status is Status.INTERRUPTED or not experiment.space.contains(dict(trial.config)):
        return
    metric = experiment.objective.metric
    yield TrialStarted(time_s=trial.started_s, trial=number, config=trial.config, node=trial.node)
    for epoch in trial.epochs.values():
        if epoch.epoch <= experiment.max_epochs and _is_sound(epoch.metrics, metric):
            yield EpochReported(
                time_s=epoch.time_s,
                trial=number,
                epoch=epoch.epoch,
                metrics={metric: epoch.metrics[metric]},
                seconds=epoch.seconds,
            )
    status = trial.status
    if status is Status.COMPLETED and len(trial.epochs) == then_epochs:
        status = Status.STOPPED
    yield TrialEnded(time_s=trial.ended_s, trial=number, status=status, reason=trial.reason or "", error=None)


def _is_sound(metrics: Mapping[str, float], metric: str) -> bool:
    return metric in metrics and diverged_metric(metrics, metric) is None


def _says_something(lesson: Sequence[Event], experiment: Experiment) -> bool:
    """Whether it can be compared with trials of the new run: it failed, or was seen at one of its rungs.

    Without that, a searcher would take it for one that runs still, and for ever.
    """
    if not lesson:
        return False
    rungs = {*experiment.rungs, experiment.max_epochs}
    *_, end = lesson
    reported = [event.epoch for event in lesson if isinstance(event, EpochReported)]
    status = end.status if isinstance(end, TrialEnded) else None
    return (
        status in FAILED_STATUSES
        or bool(rungs.intersection(reported))
        or (status is Status.COMPLETED and bool(reported))
    )
