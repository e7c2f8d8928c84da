"""No more trials run than there are slots."""

from __future__ import annotations

import pytest

from tests.support.fakes import experiment
from tests.support.simulated_workers import SimulatedRun, SimulatedWorkers
from tune_jobs.engine.on_ray.free_slots import FreeSlots, trials_side_by_side
from tune_jobs.experiment.resources import Resources
from tune_jobs.host.capacity import Machine, Node
from tune_jobs.schedulers import NoScheduler
from tune_jobs.searchers import Random


def run_of(slots: int) -> SimulatedRun:
    """Trials whose ends the test tells."""
    workers = SimulatedWorkers(9)
    workers.hangs = True
    return SimulatedRun(experiment(trials=50, searcher=Random(), scheduler=NoScheduler()), workers, slots)


def begun(run: SimulatedRun) -> list[int]:
    """Return the trials that have begun, in order."""
    for _ in range(8):
        run.step()
    return [event.trial for event in run.events("trial_started")]


def test_no_more_trials_are_proposed_than_there_are_slots() -> None:
    run = run_of(slots=2)
    assert begun(run) == [0, 1]
    run.workers.end(0)
    assert begun(run) == [0, 1, 2]


def test_a_node_that_joins_is_given_trials_at_once_and_one_that_leaves_none() -> None:
    run = run_of(slots=1)
    assert begun(run) == [0]
    run.slots = 3
    assert begun(run) == [0, 1, 2]
    run.slots = 2
    run.workers.end(0)
    assert begun(run) == [0, 1, 2]
    run.workers.end(1)
    assert begun(run) == [0, 1, 2, 3]


def test_a_trial_whose_worker_died_waits_for_a_slot_like_any_other() -> None:
    run = run_of(slots=1)
    assert begun(run) == [0]
    run.slots = 0
    run.workers.kill(run.workers.alive[0])
    assert begun(run) == [0]
    run.slots = 1
    assert begun(run) == [0, 0]


def test_a_run_that_is_interrupted_while_no_node_is_left_ends() -> None:
    run = run_of(slots=0)
    assert begun(run) == []
    assert not run.loop.is_finished
    run.coordinator.interrupt()
    assert begun(run) == []
    assert run.loop.is_finished


@pytest.mark.parametrize(
    ("most", "together", "trials"),
    [(None, 1, 3), (None, 4, 12), (20, 4, 12), (10, 4, 10), (3, 4, 3), (1, 4, 1), (2, 1, 2)],
)
def test_workers_with_lanes_have_several_trials_each(most: int | None, together: int, trials: int) -> None:
    machine, resources = Machine((Node(cpus=3),)), Resources(cpus=1)
    assert trials_side_by_side(machine, resources, most, together) == trials
    assert FreeSlots(machine, resources, most, None, print, together=together).count() == trials


def test_other_runs_leave_room_for_workers_with_lanes() -> None:
    machine, notes = Machine((Node(cpus=4),)), list[str]()
    slots = FreeSlots(machine, Resources(cpus=1), None, None, notes.append, share=lambda: 1, together=4)
    assert slots.count() == 4
    assert notes == ["Other runs use this machine: 4 trials run side by side until they end, 16 afterwards."]


def test_other_runs_on_the_machine_leave_room_when_they_end() -> None:
    machine, resources, now_s, notes = Machine((Node(cpus=4),)), Resources(cpus=1), [0.0], list[str]()
    share = [1]
    slots = FreeSlots(machine, resources, None, None, notes.append, lambda: now_s[0], lambda: share[0])
    assert slots.count() == 1
    share[0] = 3
    assert slots.count() == 1
    now_s[0] = 1.0
    assert slots.count() == 3
    assert notes == [
        "Other runs use this machine: one trial runs at a time until they end, 4 afterwards.",
        "Other runs leave more of this machine: 3 trials run side by side from now on.",
    ]
