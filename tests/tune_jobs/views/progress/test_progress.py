"""How a run stands after its events."""

import math

from tests.support.view_events import (
    ended,
    epoch,
    make_plan,
    paused,
    progress_after,
    run_started,
    started,
    trial_events,
)
from tune_jobs.results import RunEnded, Status
from tune_jobs.views.progress.progress import Progress


def test_a_trial_that_runs():
    progress = progress_after(run_started(), started(3), epoch(3, 1, 0.5), epoch(3, 2, 0.4))
    trial = progress.running[3]
    assert (trial.epoch, trial.value, trial.best_epoch) == (2, 0.5, 1)
    assert progress.epochs == 2
    assert progress.ended_trials == 0


def test_ended_trials_are_counted_by_status_and_not_kept():
    events = [event for trial in range(100) for event in trial_events(trial, [0.1, 0.2])]
    progress = progress_after(*events, *trial_events(100, [math.nan], Status.DIVERGED))
    assert progress.ended == {Status.STOPPED: 100, Status.DIVERGED: 1}
    assert progress.ended_epochs == progress.epochs == 201
    assert not progress.running
    assert len(progress.recent) < 20
    assert progress.recent[0].trial == 100


def test_the_first_of_equals_is_the_best():
    progress = progress_after(*trial_events(0, [0.5, 0.9]), *trial_events(1, [0.9]), *trial_events(2, [0.8]))
    assert (progress.best.trial, progress.best.best_epoch, progress.best.value) == (0, 2, 0.9)


def test_less_can_be_better():
    progress = progress_after(*trial_events(0, [0.5]), *trial_events(1, [0.4, 0.6]), mode="min")
    assert (progress.best.trial, progress.best.value) == (1, 0.4)


def test_what_is_not_finite_or_missing_is_never_best():
    progress = progress_after(*trial_events(0, [math.nan, math.inf]), metric="val_accuracy")
    assert progress.best is None
    assert progress_after(*trial_events(0, [0.5]), metric="other").best is None


def test_a_trial_that_starts_again_keeps_its_epochs():
    progress = progress_after(started(0), epoch(0, 1, 0.5), started(0))
    assert progress.running[0].epoch == 1


def test_what_runs_at_the_end_is_interrupted():
    end = RunEnded(time_s=9.0, reason="interrupted", error=None)
    progress = progress_after(run_started(), started(0), started(1), ended(0), end)
    assert progress.ended == {Status.STOPPED: 1, Status.INTERRUPTED: 1}
    assert progress.reason == "interrupted"


def test_progress_is_a_value():
    before = Progress(make_plan())
    before.after(started(0))
    assert not before.running


def test_a_paused_trial_is_neither_running_nor_ended():
    progress = progress_after(run_started(), started(0), epoch(0, 1, 0.5), paused(0))
    assert (dict(progress.running), progress.ended_trials) == ({}, 0)
    assert (progress.paused[0].status, progress.paused[0].value) == (Status.PAUSED, 0.5)
    again = progress.after(started(0)).after(epoch(0, 2, 0.6))
    assert not again.paused
    assert (again.running[0].status, again.running[0].epoch, again.running[0].value) == (Status.RUNNING, 2, 0.6)
    stopped = progress.after(ended(0))
    assert (dict(stopped.paused), stopped.ended, stopped.ended_epochs) == ({}, {Status.STOPPED: 1}, 1)


def test_trials_that_are_paused_when_a_run_is_interrupted_are_told():
    end = RunEnded(time_s=9.0, reason="interrupted", error=None)
    progress = progress_after(run_started(), started(0), epoch(0, 1, 0.5), paused(0), started(1), end)
    assert progress.ended == {Status.PAUSED: 1, Status.INTERRUPTED: 1}
