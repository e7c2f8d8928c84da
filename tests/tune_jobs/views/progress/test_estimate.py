"""How far a run is, and how long it will still take."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.view_events import epoch, paused, progress_after, run_started, started, trial_events
from tune_jobs.results import RunEnded
from tune_jobs.views.progress.estimate import fraction_done, seconds_left


def after_trials(count, epochs=2, **plan):
    events = [event for trial in range(count) for event in trial_events(trial, [0.5] * epochs)]
    return progress_after(run_started(100.0), *events, **plan)


def test_nothing_is_known_before_the_first_epochs():
    assert seconds_left(progress_after(), 200.0) is None
    assert seconds_left(progress_after(run_started(), started(0), epoch(0, 1, 0.5)), 200.0) is None
    assert fraction_done(progress_after(), 200.0) is None


def test_trials_that_wait_are_expected_to_be_like_those_that_ended():
    # 4 trials of 2 epochs; the first epoch came at 101, the eighth is at 108: 1 s an epoch, 6 trials to go.
    assert seconds_left(after_trials(4), 108.0) == pytest.approx(12.0)


def test_running_trials_count_for_the_rest_of_theirs():
    progress = after_trials(4, trials=6).after(started(4)).after(epoch(4, 1, 0.5))
    assert seconds_left(progress, 109.0) == pytest.approx(1 * 1 + 2)


def test_a_trial_that_goes_on_longer_than_others_is_not_over():
    progress = after_trials(4, trials=5).after(started(4))
    for number in range(1, 5):
        progress = progress.after(epoch(4, number, 0.5))
    assert seconds_left(progress, 112.0) == pytest.approx(1.0)


def test_the_first_budget_to_be_used_up_decides():
    assert seconds_left(after_trials(4, time_budget_s=10.0), 108.0) == pytest.approx(2.0)
    assert seconds_left(after_trials(4, total_epochs=9), 108.0) == pytest.approx(1.0)
    assert seconds_left(after_trials(4, time_budget_s=5.0), 108.0) == 0.0


def test_a_run_without_trial_limit():
    assert seconds_left(after_trials(4, trials=None), 108.0) is None
    assert seconds_left(after_trials(4, trials=None, time_budget_s=60.0), 108.0) == pytest.approx(52.0)
    assert fraction_done(after_trials(4, trials=None), 108.0) is None


def test_a_run_that_ended_takes_no_more_time():
    progress = after_trials(4).after(RunEnded(time_s=1.0, reason="time budget", error=None))
    assert seconds_left(progress, 108.0) is None


def test_fraction_is_of_the_budget_that_is_used_up_most():
    assert fraction_done(after_trials(4), 108.0) == pytest.approx(0.4)
    assert fraction_done(after_trials(4, total_epochs=10), 108.0) == pytest.approx(0.8)
    assert fraction_done(after_trials(4, time_budget_s=1.0), 108.0) == 1.0


@given(
    ended_trials=st.integers(0, 6),
    epochs=st.integers(1, 9),
    trials=st.none() | st.integers(1, 20),
    total=st.none() | st.integers(1, 50),
    budget=st.none() | st.floats(0.1, 1e6),
    now_s=st.floats(0, 1e9),
)
def test_estimates_are_never_absurd(ended_trials, epochs, trials, total, budget, now_s):
    progress = after_trials(ended_trials, epochs, trials=trials, total_epochs=total, time_budget_s=budget)
    left = seconds_left(progress, now_s)
    assert left is None or (left >= 0 and math.isfinite(left))
    fraction = fraction_done(progress, now_s)
    assert fraction is None or 0 <= fraction <= 1


def test_paused_trials_count_as_ended():
    events = [event for trial in range(4) for event in (started(trial), epoch(trial, 1, 0.5), paused(trial))]
    progress = progress_after(run_started(100.0), *events)
    assert fraction_done(progress, 104.0) == pytest.approx(0.4)
    assert seconds_left(progress, 104.0) == pytest.approx(6 * (104 - 101) / 3)
