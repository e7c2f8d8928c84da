"""A plain line a trial."""

import io
import math

from tests.support.view_events import ended, epoch, make_plan, paused, run_started, started, trial_events
from trainables.constraints.constraint import Constraint
from tune_jobs.results import Noted, RunStarted, Status, TrialEnded
from tune_jobs.views.progress.plain import PlainView


def lines_of(*events, **plan):
    stream = io.StringIO()
    view = PlainView(stream, clock=lambda: 165.0)
    view.begin(make_plan(**plan))
    for event in events:
        view.event(event)
    view.end()
    view.end()
    return stream.getvalue().splitlines()


def test_a_run_begins_and_ends_with_a_line():
    first, second, *_, last = lines_of(run_started(), *trial_events(0, [0.5]))
    assert first == "run first in runs/first"
    assert second == "val_accuracy (more is better): at most 10 trials of 9 epochs, 2 at a time"
    assert last == "ended after 1m 05s: 1 trial (1 stopped), 1 epoch"


def test_where_it_runs_is_told():
    gpus = {"time_s": 1.0, "cpus": 12.0, "gpus": 4.0, "max_concurrent_trials": 16}
    assert "Ray has started: 12 CPUs, 4 GPUs" in lines_of(RunStarted(**gpus))
    assert "joined a cluster of 3 nodes: 12 CPUs, 4 GPUs" in lines_of(RunStarted(**gpus, nodes=3))


def test_a_trial_that_ends_has_a_line():
    lines = lines_of(run_started(), *trial_events(4, [0.9722]), *trial_events(7, [0.93, 0.9417, 0.94]))
    assert "trial 4 stopped at epoch 1: val_accuracy 0.9722 (the best so far), lr=0.003" in lines
    assert "trial 7 stopped at epoch 3: val_accuracy 0.9417 (best 0.9722, trial 4), lr=0.003" in lines


def test_trials_that_go_wrong_say_why():
    events = [
        *trial_events(0, [], Status.FAILED, error="ValueError: no\nsuch [red]layer\x1b[0m"),
        *trial_events(1, [math.nan], Status.DIVERGED),
        *trial_events(2, [math.nan, math.nan], Status.COMPLETED),
    ]
    lines = lines_of(run_started(), *events)
    assert "trial 0 failed: ValueError: no such [red]layer, lr=0.003" in lines
    assert "trial 1 diverged at epoch 1: lr=0.003" in lines
    assert "trial 2 completed at epoch 2: no finite val_accuracy, lr=0.003" in lines


def test_a_trial_that_is_refused_says_why_and_one_that_breaks_a_constraint_is_not_the_best():
    refused = TrialEnded(time_s=2.0, trial=0, status=Status.REFUSED, reason="refused: units 9 > 8", error=None)
    events = [started(0), refused, *trial_events(1, [0.9], Status.COMPLETED), *trial_events(2, [0.5], Status.COMPLETED)]
    lines = lines_of(run_started(), *events, constraints=(Constraint("val_accuracy < 0.8"),))
    assert "trial 0 refused: units 9 > 8, lr=0.003" in lines
    assert "trial 1 completed at epoch 1: no finite val_accuracy that keeps the constraints, lr=0.003" in lines
    assert "trial 2 completed at epoch 1: val_accuracy 0.5000 (the best so far), lr=0.003" in lines


def test_what_is_noted_has_a_line():
    notes = [
        Noted(time_s=101.0, trial=7, text="a checkpoint\nwas torn\x1b[0m"),
        Noted(time_s=101.0, trial=None, text="gone"),
    ]
    lines = lines_of(run_started(), *notes)
    assert "note: trial 7: a checkpoint was torn" in lines
    assert "note: gone" in lines


def test_trials_that_start_say_nothing():
    assert len(lines_of(started(0))) == len(lines_of())


def test_all_budgets_are_told():
    lines = lines_of(trials=None, total_epochs=500, time_budget_s=90.0)
    assert "at most 500 epochs in all, at most 1m 30s, 2 at a time" in lines[1]


def test_a_pause_has_a_line_and_its_end_has_none():
    events = [started(4), epoch(4, 1, 0.5), paused(4)]
    line = "trial 4 paused at epoch 1: val_accuracy 0.5000 (the best so far), lr=0.003"
    lines = lines_of(run_started(), *events, ended(4))
    assert [text for text in lines if "trial 4" in text] == [line]
    again = [started(4), epoch(4, 2, 0.6), ended(4, Status.COMPLETED)]
    assert "trial 4 completed at epoch 2: val_accuracy 0.6000" in "".join(lines_of(run_started(), *events, *again))
