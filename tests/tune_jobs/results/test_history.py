"""The history of a run, folded from its events."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.result_strategies import Trial, accuracy, events_of, property_settings, random_trials
from trainables.settings import Mode
from tune_jobs.base.objective import Objective
from tune_jobs.results import (
    EpochReported,
    Event,
    JournalError,
    Noted,
    RunEnded,
    RunStarted,
    Status,
    TrialEnded,
    TrialStarted,
    fold,
)


def run_started(time_s: float = 0.0, cpus: float = 2.0) -> RunStarted:
    return RunStarted(time_s=time_s, cpus=cpus, gpus=0.0, max_concurrent_trials=2)


def started(trial: int = 7, time_s: float = 1.0, node: str = "host") -> TrialStarted:
    return TrialStarted(time_s=time_s, trial=trial, config={"units": 32}, node=node)


def epoch(number: int, value: float = 0.5, trial: int = 7, seconds: float = 1.0) -> EpochReported:
    return EpochReported(time_s=2.0, trial=trial, epoch=number, metrics={"val_accuracy": value}, seconds=seconds)


def ended(status: Status = Status.FAILED, trial: int = 7, time_s: float = 9.0) -> TrialEnded:
    return TrialEnded(time_s=time_s, trial=trial, status=status, reason="it raised", error="ValueError: no")


def run_ended(time_s: float = 10.0) -> RunEnded:
    return RunEnded(time_s=time_s, reason="trials", error=None)


@property_settings
@given(random_trials())
def test_every_trial_is_what_happened_to_it(trials: list[Trial]) -> None:
    history = fold([run_started(), *events_of(trials)])
    assert list(history.trials) == sorted(trial.number for trial in trials)
    for trial in trials:
        folded = history.trials[trial.number]
        assert (folded.trial, folded.config, folded.status) == (trial.number, trial.config, trial.status)
        assert [epoch.metrics for epoch in folded.epochs.values()] == trial.epochs
        assert list(folded.epochs) == list(range(1, len(trial.epochs) + 1))
        assert folded.seconds == 0.5 * len(trial.epochs)
        ended_s = 99.0 if trial.status not in (Status.RUNNING, Status.PAUSED) else None
        assert (folded.reason, folded.ended_s) == (None if trial.status is Status.RUNNING else "why", ended_s)


@property_settings
@given(random_trials(), st.randoms(use_true_random=False))
def test_trials_that_ran_side_by_side_do_not_touch_each_other(trials: list[Trial], random: Random) -> None:
    queues = [list(trial.events()) for trial in trials]
    mixed = []
    while queues := [queue for queue in queues if queue]:
        mixed.append(random.choice(queues).pop(0))
    assert repr(fold(mixed)) == repr(fold(events_of(trials)))


@property_settings
@given(random_trials(), st.data())
def test_every_prefix_of_a_run_has_a_history(trials: list[Trial], data: st.DataObject) -> None:
    events = [run_started(), *events_of(trials), run_ended()]
    prefix = events[: data.draw(st.integers(0, len(events)))]
    history = fold(prefix)
    assert sum(len(trial.epochs) for trial in history.trials.values()) == sum(
        isinstance(event, EpochReported) for event in prefix
    )


def test_a_run_that_never_started_is_empty() -> None:
    history = fold([])
    assert (history.trials, history.started_s, history.ended_s, history.reason) == ({}, None, None, None)


def test_a_retried_trial_keeps_its_start_and_epochs_and_runs_again() -> None:
    history = fold([started(), epoch(1), epoch(2, 0.6), ended(), started(time_s=20.0, node="other"), epoch(2, 0.7)])
    trial = history.trials[7]
    assert (trial.status, trial.reason, trial.error, trial.ended_s) == (Status.RUNNING, None, None, None)
    assert (trial.started_s, trial.node) == (1.0, "other")
    assert [(e.epoch, e.metrics["val_accuracy"]) for e in trial.epochs.values()] == [(1, 0.5), (2, 0.7)]
    assert trial.seconds == 2.0


def test_epochs_stay_in_order_when_an_early_one_comes_late() -> None:
    trial = fold([started(), epoch(3), epoch(1), epoch(2)]).trials[7]
    assert list(trial.epochs) == [1, 2, 3]


def test_notes_are_kept_in_order_when_a_run_is_resumed() -> None:
    notes = [Noted(time_s=1.0, trial=7, text="lost"), Noted(time_s=2.0, trial=None, text="torn")]
    assert fold([run_started(), started(), notes[0], run_started(), notes[1], run_ended()]).notes == notes


def test_a_trial_that_its_run_left_unfinished_is_interrupted() -> None:
    history = fold([run_started(), started(1), started(2), ended(Status.STOPPED, trial=2), run_ended()])
    assert [trial.status for trial in history.trials.values()] == [Status.INTERRUPTED, Status.STOPPED]
    assert (history.started_s, history.ended_s, history.reason) == (0.0, 10.0, "trials")


def test_a_resumed_run_runs_again_and_interrupts_what_a_killed_one_left() -> None:
    killed = [run_started(), started(1), started(2), epoch(1, trial=2)]
    history = fold([*killed, run_started(time_s=50.0, cpus=8.0), started(2, time_s=51.0)])
    assert [trial.status for trial in history.trials.values()] == [Status.INTERRUPTED, Status.RUNNING]
    assert (history.started_s, history.ended_s, history.latest_start.cpus) == (0.0, None, 8.0)
    again = fold([run_started(), run_ended(), run_started(time_s=50.0)])
    assert (again.started_s, again.ended_s, again.reason) == (0.0, None, None)


@pytest.mark.parametrize("event", [epoch(1), ended()])
def test_an_event_of_a_trial_that_never_started_is_an_error(event: Event) -> None:
    with pytest.raises(JournalError, match="trial 7, but none that says it started"):
        fold([event])


@property_settings
@given(st.lists(st.sampled_from([0.1, 0.2, 0.3, math.nan, math.inf, -math.inf])), st.sampled_from(["max", "min"]))
def test_the_best_epoch_is_the_earliest_of_the_best_finite_ones(values: list[float], mode: Mode) -> None:
    trial = fold([started(), *(epoch(n, value) for n, value in enumerate(values, start=1))]).trials[7]
    best = trial.best(accuracy(mode))
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        assert best is None
    else:
        assert best.epoch == values.index({"max": max, "min": min}[mode](finite)) + 1


def test_a_metric_that_was_never_reported_has_no_best_epoch() -> None:
    assert fold([started(), epoch(1)]).trials[7].best(Objective("auc", "max")) is None


def test_an_epoch_of_nan_weights_is_never_the_best() -> None:
    sick = EpochReported(time_s=2.0, trial=7, epoch=2, metrics={"val_accuracy": 0.9, "loss": math.nan}, seconds=1.0)
    history = fold([started(), epoch(1, 0.5), sick])
    assert history.trials[7].best(accuracy()).epoch == 1
