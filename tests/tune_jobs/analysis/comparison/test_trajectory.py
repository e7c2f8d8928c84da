"""The best so far over epochs and seconds of running, however often the run was interrupted."""

import math

from hypothesis import given
from hypothesis import strategies as st

from tests.support.compared_runs import events_of as run_events
from tests.support.result_strategies import accuracy, events_of, property_settings, random_trials
from tune_jobs.analysis.comparison.trajectory import measure_trajectory, reach
from tune_jobs.results import EpochReported, RunEnded, RunStarted, Status, TrialEnded, TrialStarted, fold
from tune_jobs.results.ranking import ranking

MODES = st.sampled_from(["max", "min"])


def run_started(time_s):
    return RunStarted(time_s=time_s, cpus=2.0, gpus=0.0, max_concurrent_trials=2)


def started(time_s, trial=0):
    return TrialStarted(time_s=time_s, trial=trial, config={}, node="host")


def epoch(time_s, number, value, trial=0):
    return EpochReported(time_s=time_s, trial=trial, epoch=number, metrics={"val_accuracy": value}, seconds=1.0)


def trial_ended(time_s, trial=0):
    return TrialEnded(time_s=time_s, trial=trial, status=Status.STOPPED, reason="why", error=None)


def run_ended(time_s):
    return RunEnded(time_s=time_s, reason="interrupted", error=None)


def told(steps):
    return [(step.epochs, step.seconds, step.value) for step in steps]


@property_settings
@given(random_trials(), MODES)
def test_each_step_is_better_and_later_and_the_last_is_the_leaderboards_best(trials, mode):
    objective = accuracy(mode)
    events = [run_started(0.0), *events_of(trials)]
    path = measure_trajectory(events, objective)
    for before, after in zip(path.improvements, path.improvements[1:], strict=False):
        assert objective.is_better(after.value, before.value)
        assert before.epochs < after.epochs
        assert before.seconds <= after.seconds
    best = next(iter(ranking(fold(events), objective)), None)
    value = best.best.metrics["val_accuracy"] if best and best.best else None
    assert (path.improvements[-1].value if path.improvements else None) == value
    assert path.epochs == sum(len(trial.epochs) for trial in trials)


def test_epochs_and_seconds_are_those_of_all_trials_together():
    path = measure_trajectory(run_events([0.5, 0.4, 0.9]), accuracy())
    assert told(path.improvements) == [(1, 10.0, 0.5), (3, 30.0, 0.9)]
    assert (path.epochs, path.seconds) == (3, 31.0)


def test_the_time_between_an_interruption_and_its_resumption_does_not_count():
    first = [run_started(100.0), started(101.0), epoch(110.0, 1, 0.5), run_ended(112.0)]
    second = [run_started(5000.0), started(5001.0), epoch(5010.0, 2, 0.7), trial_ended(5010.0), run_ended(5020.0)]
    path = measure_trajectory([*first, *second], accuracy())
    assert told(path.improvements) == [(1, 10.0, 0.5), (2, 22.0, 0.7)]
    assert path.seconds == 32.0


def test_a_run_that_was_killed_ran_until_its_last_sign_of_life():
    killed = [run_started(100.0), started(101.0), epoch(110.0, 1, 0.5)]
    assert measure_trajectory(killed, accuracy()).seconds == 10.0
    assert (
        measure_trajectory([*killed, run_started(900.0), epoch(905.0, 2, 0.6), run_ended(906.0)], accuracy()).seconds
        == 16.0
    )


def test_the_end_of_a_trial_that_a_resumed_run_tells_before_it_starts_is_no_sign_of_life():
    killed = [run_started(100.0), started(101.0), epoch(110.0, 1, 0.5)]
    resumed = [
        trial_ended(899.0),
        run_started(900.0),
        started(901.0, 1),
        epoch(905.0, 1, 0.6, trial=1),
        run_ended(906.0),
    ]
    assert measure_trajectory([*killed, *resumed], accuracy()).seconds == 16.0


@property_settings
@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), max_size=5), st.booleans())
def test_a_run_was_running_as_long_as_all_its_spans_together(spans, killed):
    events, now_s = [], 0.0
    for pause_s, length_s in spans:
        begin_s = now_s + pause_s
        now_s = begin_s + length_s
        # A driver that is killed leaves no word of its end.
        end = started(now_s) if killed else run_ended(now_s)
        events += [run_started(begin_s), end]
    assert math.isclose(
        measure_trajectory(events, accuracy()).seconds, sum(length for _, length in spans), abs_tol=1e-6
    )


def test_a_clock_that_is_set_back_does_not_make_time_run_backwards():
    path = measure_trajectory(
        [run_started(100.0), started(101.0), epoch(110.0, 1, 0.5), epoch(50.0, 2, 0.6)], accuracy()
    )
    assert [step.seconds for step in path.improvements] == [10.0, 10.0]


def test_an_epoch_that_was_trained_again_counts_once():
    events = [run_started(0.0), started(1.0), epoch(2.0, 1, 0.5), epoch(3.0, 1, 0.6), epoch(4.0, 2, 0.7)]
    path = measure_trajectory(events, accuracy())
    assert told(path.improvements) == [(1, 2.0, 0.5), (1, 3.0, 0.6), (2, 4.0, 0.7)]
    assert path.epochs == 2


def test_nothing_finite_is_no_step():
    path = measure_trajectory(run_events([math.nan, math.inf]), accuracy())
    assert (path.improvements, path.epochs) == ((), 2)
    assert measure_trajectory([], accuracy()).seconds == 0.0


@property_settings
@given(st.lists(st.floats(0, 1), min_size=1), MODES, st.data())
def test_a_target_is_reached_at_the_first_step_that_is_as_good(values, mode, data):
    steps = measure_trajectory(run_events(values), accuracy(mode)).improvements
    target = data.draw(st.sampled_from(values))
    first = next(index for index, value in enumerate(values, start=1) if not accuracy(mode).is_better(target, value))
    assert reach(steps, target, accuracy(mode)).epochs == first
    assert reach(steps, 2.0 if mode == "max" else -1.0, accuracy(mode)) is None
