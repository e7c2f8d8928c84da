"""Several trials in one process: each call trains an epoch of all, and a death is not held against all of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.support.fakes import experiment
from tests.support.simulated_processes import SimulatedProcesses
from tests.support.simulated_workers import SimulatedRun
from tune_jobs.engine.on_ray.shared_loop import SharedLoop
from tune_jobs.engine.on_ray.shared_workers import SharedWorkers
from tune_jobs.results import Status
from tune_jobs.schedulers import NoScheduler
from tune_jobs.searchers import Random

EPOCHS = 4
LANES = 3


def run_of(trials: int, processes: SimulatedProcesses, workers: int = 1, **fields: Any) -> SimulatedRun:
    fields = {"scheduler": NoScheduler(), "searcher": Random(), **fields}
    clock = fields.pop("clock", None)
    lanes: Any = SharedWorkers(processes, LANES)  # type: ignore[arg-type]
    declared = experiment(trials=trials, max_epochs=EPOCHS, **fields)
    return SimulatedRun(declared, lanes, workers * LANES, clock=clock, loop=SharedLoop)


def statuses(run: SimulatedRun) -> Counter[Status]:
    return Counter(event.status for event in run.events("trial_ended"))


def test_a_process_trains_an_epoch_of_all_its_lanes_in_a_call() -> None:
    processes = SimulatedProcesses(EPOCHS)
    run = run_of(7, processes).whole()
    assert len(processes.started) == 1
    assert [len(call) for call in processes.calls] == [3] * 2 * EPOCHS + [1] * EPOCHS
    assert Counter(trial for call in processes.calls for trial in call) == dict.fromkeys(range(7), EPOCHS)
    assert [len(run.events(event)) for event in ("trial_started", "epoch", "trial_ended")] == [7, 7 * EPOCHS, 7]


def test_a_lane_whose_trial_ends_early_gets_the_next_one_while_the_others_go_on() -> None:
    processes = SimulatedProcesses(EPOCHS)
    run = run_of(4, processes)
    while len(processes.calls) < 2:
        run.step()
    for process in processes.alive:
        process.epochs[1] = EPOCHS - 1  # its next epoch is the last
    run.whole()
    assert processes.calls == [[0, 1, 2]] * 3 + [[0, 3, 2], *[[3]] * 3]
    assert statuses(run) == {Status.COMPLETED: 4}


def test_as_many_processes_are_started_as_trials_need() -> None:
    processes = SimulatedProcesses(EPOCHS)
    run_of(4, processes, workers=5).whole()
    assert len(processes.started) == 2


def test_a_trial_that_kills_its_process_fails_and_those_beside_it_are_trained_alone_once() -> None:
    processes = SimulatedProcesses(EPOCHS, dies=lambda trials: 1 in trials)
    run = run_of(5, processes, max_retries=1).whole()
    assert statuses(run) == {Status.COMPLETED: 4, Status.FAILED: 1}
    (failed,) = [event for event in run.events("trial_ended") if event.status is Status.FAILED]
    assert failed.trial == 1
    notes = [note.text for note in run.events("note")]
    assert sum("alone, and not counted as a retry" in text for text in notes) == 3
    assert sum("retry 1 of 1" in text for text in notes) == 1
    assert [call for call in processes.calls if set(call) & {0, 2}] == [[0]] * EPOCHS + [[2]] * EPOCHS
    assert [call for call in processes.calls if set(call) & {3, 4}] == [[3, 4]] * EPOCHS


def test_a_trial_that_hangs_is_found_out_alone() -> None:
    processes = SimulatedProcesses(EPOCHS)
    processes.hangs = lambda trials: 2 in trials
    now_s = [0.0]
    run = run_of(3, processes, trial_timeout_s=10, clock=lambda: now_s[0])
    for _ in range(2000):
        if run.loop.is_finished:
            break
        now_s[0] += 0.5
        run.step()
    ends = {event.trial: event.reason for event in run.events("trial_ended")}
    assert ends == {0: f"all {EPOCHS} epochs", 1: f"all {EPOCHS} epochs", 2: "timed out"}


def test_a_process_that_dies_before_it_is_ready_costs_one_trial_one_retry() -> None:
    processes = SimulatedProcesses(EPOCHS)
    processes.stillborn = 1
    run = run_of(3, processes, max_retries=1).whole()
    assert [note.text.count("retry 1 of 1") for note in run.events("note")] == [1]
    assert statuses(run) == {Status.COMPLETED: 3}


def test_lanes_that_are_too_many_leave_and_the_process_goes_on() -> None:
    processes = SimulatedProcesses(EPOCHS)
    run = run_of(9, processes)
    while len(run.events("trial_started")) < LANES:
        run.step()
    run.slots = 1
    run.whole()
    assert len(processes.started) == 1
    assert len(processes.calls[-1]) == 1
    assert statuses(run) == {Status.COMPLETED: 9}
