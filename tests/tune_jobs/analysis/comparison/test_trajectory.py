"""The best so far over epochs and seconds of running, however often the run was interrupted."""

from __future__ import annotations

import math
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from tests.support.compared_runs import events_of as run_events
from tests.support.result_strategies import Trial, accuracy, events_of, property_settings, random_trials
from trainables.settings import Mode
from tune_jobs.analysis.comparison.trajectory import Improvement, measure_trajectory, reach
from tune_jobs.results import EpochReported, Event, RunEnded, RunStarted, Status, TrialEnded, TrialStarted, fold
from tune_jobs.results.ranking import ranking

MODES = st.sampled_from(["max", "min"])


def run_started(time_s: float) -> RunStarted:
    return RunStarted(time_s=time_s, cpus=2.0, gpus=0.0, max_concurrent_trials=2)


def started(time_s: float, trial: int = 0) -> TrialStarted:
    return TrialStarted(time_s=time_s, trial=trial, config={}, node="host")


def epoch(time_s: float, number: int, value: float, trial: int = 0) -> EpochReported:
    return EpochReported(time_s=time_s, trial=trial, epoch=number, metrics={"val_accuracy": value}, seconds=1.0)


def trial_ended(time_s: float, trial: int = 0) -> TrialEnded:
    return TrialEnded(time_s=time_s, trial=trial, status=Status.STOPPED, reason="why", error=None)


def run_ended(time_s: float) -> RunEnded:
    return RunEnded(time_s=time_s, reason="interrupted", error=None)


def as_tuples(improvements: Iterable[Improvement]) -> list[tuple[int, float, float]]:
    return [(each.epochs, each.seconds, each.value) for each in improvements]


@property_settings
@given(random_trials(), MODES)
def test_each_improvement_is_better_and_later_and_the_last_is_the_best(trials: list[Trial], mode: Mode) -> None:
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


def test_epochs_and_seconds_are_those_of_all_trials_together() -> None:
    path = measure_trajectory(run_events([0.5, 0.4, 0.9]), accuracy())
    assert as_tuples(path.improvements) == [(1, 10.0, 0.5), (3, 30.0, 0.9)]
    assert (path.epochs, path.seconds) == (3, 31.0)


def test_the_time_between_an_interruption_and_its_resumption_does_not_count() -> None:
    events: list[Event] = [run_started(100.0), started(101.0), epoch(110.0, 1, 0.5), run_ended(112.0)]
    events += [run_started(5000.0), started(5001.0), epoch(5010.0, 2, 0.7), trial_ended(5010.0), run_ended(5020.0)]
    path = measure_trajectory(events, accuracy())
    assert as_tuples(path.improvements) == [(1, 10.0, 0.5), (2, 22.0, 0.7)]
    assert path.seconds == 32.0


def test_a_run_that_was_killed_ran_until_its_last_sign_of_life() -> None:
    killed: list[Event] = [run_started(100.0), started(101.0), epoch(110.0, 1, 0.5)]
    assert measure_trajectory(killed, accuracy()).seconds == 10.0
    assert (
        measure_trajectory([*killed, run_started(900.0), epoch(905.0, 2, 0.6), run_ended(906.0)], accuracy()).seconds
        == 16.0
    )


def test_the_end_of_a_trial_that_a_resumed_run_records_before_it_starts_is_no_sign_of_life() -> None:
    killed: list[Event] = [run_started(100.0), started(101.0), epoch(110.0, 1, 0.5)]
    resumed: list[Event] = [
        trial_ended(899.0),
        run_started(900.0),
        started(901.0, 1),
        epoch(905.0, 1, 0.6, trial=1),
        run_ended(906.0),
    ]
    assert measure_trajectory([*killed, *resumed], accuracy()).seconds == 16.0


@property_settings
@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), max_size=5), st.booleans())
def test_a_run_was_running_as_long_as_all_its_spans_together(spans: list[tuple[float, float]], killed: bool) -> None:
    events: list[Event] = []
    now_s = 0.0
    for pause_s, length_s in spans:
        begin_s = now_s + pause_s
        now_s = begin_s + length_s
        # A driver that is killed does not record its end.
        end = started(now_s) if killed else run_ended(now_s)
        events += [run_started(begin_s), end]
    assert math.isclose(
        measure_trajectory(events, accuracy()).seconds, sum(length for _, length in spans), abs_tol=1e-6
    )


def test_a_clock_that_is_set_back_does_not_make_time_run_backwards() -> None:
    path = measure_trajectory(
        [run_started(100.0), started(101.0), epoch(110.0, 1, 0.5), epoch(50.0, 2, 0.6)], accuracy()
    )
    assert [improvement.seconds for improvement in path.improvements] == [10.0, 10.0]


def test_an_epoch_that_was_trained_again_counts_once() -> None:
    events: list[Event] = [run_started(0.0), started(1.0), epoch(2.0, 1, 0.5), epoch(3.0, 1, 0.6), epoch(4.0, 2, 0.7)]
    path = measure_trajectory(events, accuracy())
    assert as_tuples(path.improvements) == [(1, 2.0, 0.5), (1, 3.0, 0.6), (2, 4.0, 0.7)]
    assert path.epochs == 2


def test_a_value_that_is_not_finite_is_no_improvement() -> None:
    path = measure_trajectory(run_events([math.nan, math.inf]), accuracy())
    assert (path.improvements, path.epochs) == ((), 2)
    assert measure_trajectory([], accuracy()).seconds == 0.0


@property_settings
@given(st.lists(st.floats(0, 1), min_size=1), MODES, st.data())
def test_a_target_is_reached_at_the_first_value_that_is_as_good(
    values: list[float], mode: Mode, data: st.DataObject
) -> None:
    improvements = measure_trajectory(run_events(values), accuracy(mode)).improvements
    target = data.draw(st.sampled_from(values))
    first = next(index for index, value in enumerate(values, start=1) if not accuracy(mode).is_better(target, value))
    reached = reach(improvements, target, accuracy(mode))
    assert reached is not None
    assert reached.epochs == first
    assert reach(improvements, 2.0 if mode == "max" else -1.0, accuracy(mode)) is None
