"""Trials whose worker died, or hangs: another worker continues them, or they end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.fakes import MemoryEventLog, experiment, worker_death
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.decisions.running_trials import Watchdog
from tune_jobs.results import Noted, Status, TrialEnded, fold
from tune_jobs.searchers import Random


def test_a_worker_that_died_too_often_is_a_failed_trial() -> None:
    log = MemoryEventLog()
    coordinator = Coordinator(experiment(max_retries=2), log)
    for _ in range(3):
        trial, _ = coordinator.propose() or (None, None)
        assert trial == 0
        coordinator.start(trial, "here")
        assert not coordinator.is_idle
        coordinator.lose_worker(trial, worker_death("The actor died"))
    coordinator.lose_worker(trial, worker_death("The actor died"))
    assert coordinator.is_idle
    assert [type(event) for event in log.events][-1] is TrialEnded
    assert fold(log.events).trials[0].error == "The actor died"


def test_a_worker_that_died_before_it_was_ready_leaves_a_journal_that_can_be_read() -> None:
    log = MemoryEventLog()
    coordinator = Coordinator(experiment(max_retries=0), log)
    trial, config = coordinator.propose() or (0, {})
    coordinator.lose_worker(trial, worker_death("no memory"))
    history = fold(log.events)
    assert (history.trials[trial].error, history.trials[trial].config) == ("no memory", config)


def test_a_trial_whose_worker_died_is_proposed_again_with_a_note() -> None:
    log = MemoryEventLog()
    coordinator = Coordinator(experiment(trials=1, searcher=Random(), max_retries=1), log)
    trial, config = coordinator.propose() or (0, {})
    assert coordinator.propose() is None
    assert not coordinator.is_idle  # else Ray would not ask again
    coordinator.lose_worker(trial, worker_death("The actor died."))
    assert coordinator.propose() == (trial, config)
    (note,) = [event for event in log.events if isinstance(event, Noted)]
    assert (note.trial, "retry 1 of 1" in note.text) == (trial, True)


def test_a_trial_whose_worker_dies_when_the_run_is_over_is_interrupted() -> None:
    log = MemoryEventLog()
    coordinator = Coordinator(experiment(searcher=Random()), log)
    trial, _ = coordinator.propose() or (0, {})
    coordinator.start(trial, "here")
    coordinator.interrupt()
    coordinator.lose_worker(trial, worker_death("The actor died."))
    assert coordinator.propose() is None
    coordinator.finish()
    assert fold(log.events).trials[trial].status is Status.INTERRUPTED


def test_a_trial_that_hangs_is_found_once_and_not_retried() -> None:
    now_s = 0.0
    log = MemoryEventLog()
    declared = experiment(searcher=Random(), trial_timeout_s=10.0)
    coordinator = Coordinator(declared, log, clock=lambda: now_s)
    numbers = [(coordinator.propose() or (0, {}))[0] for _ in range(2)]
    for number in numbers:
        coordinator.start(number, "here")
    hanging = []
    for second in range(30):
        now_s = float(second)
        hanging += coordinator.hanging_trials()
        if numbers[0] not in hanging and second % 6 == 0:
            epoch = 1 + second // 6
            metrics = {"val_accuracy": 0.5}
            coordinator.report(numbers[0], {"epoch": epoch, "metrics": metrics, "seconds": 1.0, "done": epoch == 9})
    assert hanging == [numbers[1]]
    coordinator.lose_worker(numbers[1], worker_death("The actor is dead because it was killed by ray.kill."))
    ended = fold(log.events).trials[numbers[1]]
    assert (ended.status, ended.reason) == (Status.FAILED, "timed out")
    assert ended.error == "Timed out after 10 s without a finished epoch."


def test_time_does_not_count_while_the_driver_stands_still() -> None:
    watchdog = Watchdog(60.0)
    watchdog.hanging(0.0)
    watchdog.reset(7)
    assert watchdog.hanging(3600.0) == []
    assert [second for second in range(3601, 3700) if watchdog.hanging(float(second))] == [3655]


@given(st.lists(st.booleans(), max_size=60))
def test_a_trial_that_reports_in_time_never_hangs_and_others_do(reports: list[bool]) -> None:
    watchdog, since_s = Watchdog(4.0), 0
    watchdog.reset(1)
    for now_s, has_reported in enumerate(reports):
        if has_reported:
            watchdog.reset(1)
            since_s = now_s
        late = watchdog.hanging(float(now_s))
        assert (now_s - since_s >= 4 - 1) if late else (now_s - since_s <= 4)
        if late:
            assert (late, watchdog.forget(1), watchdog.forget(1)) == ([1], True, False)
            return
