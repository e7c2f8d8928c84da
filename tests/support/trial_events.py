"""The events of single trials, for tests of whatever reads them."""

from __future__ import annotations

from tune_jobs.results import EpochReported, Event, Status, TrialEnded, TrialStarted


def started(trial: int) -> TrialStarted:
    return TrialStarted(time_s=1.0, trial=trial, config={}, node="here")


def epoch(trial: int, value: float, number: int = 1) -> EpochReported:
    return EpochReported(time_s=1.0, trial=trial, epoch=number, metrics={"val_accuracy": value}, seconds=1.0)


def ended(trial: int, status: Status = Status.STOPPED) -> TrialEnded:
    return TrialEnded(time_s=1.0, trial=trial, status=status, reason="", error=None)


def whole_trial(trial: int, value: float) -> list[Event]:
    return [started(trial), epoch(trial, value), ended(trial)]
