"""The stints of a run: who worked when, and what was idle."""

from __future__ import annotations

from tune_jobs.analysis.stints import measure_occupation
from tune_jobs.results import EpochReported, Event, RunEnded, RunStarted, Status, TrialEnded, TrialPaused, TrialStarted


def started(time_s: float, trial: int, node: str = "a", gpus: float | None = None) -> Event:
    return TrialStarted(time_s=time_s, trial=trial, config={}, node=node, gpus=gpus)


def ended(time_s: float, trial: int, status: Status = Status.COMPLETED) -> Event:
    return TrialEnded(time_s=time_s, trial=trial, status=status, reason="", error=None)


def epoch(time_s: float, trial: int, number: int = 1, seconds: float = 1.0) -> Event:
    return EpochReported(time_s=time_s, trial=trial, epoch=number, metrics={"loss": 1.0}, seconds=seconds)


def begun(time_s: float, slots: int = 2) -> Event:
    return RunStarted(time_s=time_s, cpus=2, gpus=0, max_concurrent_trials=slots)


def test_trials_that_overlap_have_different_slots_and_a_free_slot_is_used_again() -> None:
    events = [begun(100), started(100, 0), started(101, 1), epoch(104, 0), ended(104, 0), started(105, 2)]
    events += [epoch(109, 1), epoch(110, 2), ended(110, 1), ended(110, 2), RunEnded(time_s=110, reason="x", error=None)]
    found = measure_occupation(events)
    assert [(stint.trial, stint.slot, stint.start_s, stint.end_s) for stint in found.stints] == [
        (0, 0, 0, 4),
        (1, 1, 1, 10),
        (2, 0, 5, 10),
    ]
    assert found.slot_seconds == 20
    assert found.busy == (4 + 9 + 5) / 20
    assert found.training == 3 / 20


def test_each_node_has_slots_of_its_own() -> None:
    events = [begun(0), started(0, 0, "a"), started(0, 1, "b", 0.5), epoch(2, 0), epoch(2, 1)]
    stints = measure_occupation(events).stints
    assert [(stint.node, stint.slot, stint.gpus) for stint in stints] == [("a", 0, None), ("b", 0, 0.5)]
    assert {stint.status for stint in stints} == {Status.RUNNING}


def test_a_retry_is_a_second_stint() -> None:
    events = [begun(0), started(0, 0, "a"), epoch(2, 0), started(5, 0, "b"), epoch(7, 0, 2), ended(7, 0)]
    found = measure_occupation(events)
    assert [(stint.node, stint.start_s, stint.status) for stint in found.stints] == [
        ("a", 0, Status.INTERRUPTED),
        ("b", 5, Status.COMPLETED),
    ]


def test_the_time_between_sessions_does_not_count() -> None:
    events = [begun(0, 1), started(0, 0), epoch(3, 0)]
    events += [begun(1000, 1), started(1001, 0), epoch(1004, 0, 2), ended(1004, 0)]
    found = measure_occupation(events)
    assert found.seconds == 7
    assert found.restarts == (3,)
    assert [(stint.start_s, stint.end_s) for stint in found.stints] == [(0, 3), (4, 7)]


def test_a_paused_trial_has_no_worker_until_it_is_promoted() -> None:
    events = [begun(0, 1), started(0, 0), epoch(3, 0), TrialPaused(time_s=3, trial=0, reason="waits", epochs=1)]
    events += [started(3, 1), epoch(6, 1), ended(6, 1), started(7, 0), epoch(9, 0, 2), ended(9, 0)]
    found = measure_occupation(events)
    assert [(stint.trial, stint.start_s, stint.end_s, stint.status, stint.slot) for stint in found.stints] == [
        (0, 0, 3, Status.PAUSED, 0),
        (1, 3, 6, Status.COMPLETED, 0),
        (0, 7, 9, Status.COMPLETED, 0),
    ]
    assert found.busy == 8 / 9
