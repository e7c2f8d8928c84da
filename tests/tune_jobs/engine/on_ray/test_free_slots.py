"""Ray is given as many trials as there is room for, and no more."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.support.fakes import MemoryEventLog, experiment, worker_death
from tests.support.simulated_ray import Declared
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.on_ray.bridge import CoordinatorSearcher
from tune_jobs.engine.on_ray.internals import trial as lean_trial
from tune_jobs.searchers import Random


@pytest.fixture(autouse=True)
def _declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lean_trial, "get_trainable_cls", lambda _: Declared)


class Run:
    """A searcher of five trials, and the room that it is told of."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.coordinator = Coordinator(experiment(searcher=Random()), MemoryEventLog())
        self.coordinator.begin(cpus=1, gpus=0, max_concurrent_trials=1)
        self.searcher = CoordinatorSearcher(self.coordinator, lambda: self.room)
        self.searcher.add_configurations([SimpleNamespace(spec={"run": "declared", "storage": SimpleNamespace()})])
        self._ids: dict[int, str] = {}

    def ask(self) -> int | None:
        """The number of the next trial."""
        trial = self.searcher.next_trial()
        if trial is None:
            return None
        self._ids[trial.number] = trial.trial_id
        return trial.number

    def end(self, trial: int) -> None:
        """Ray is done with a trial."""
        self.searcher.on_trial_complete(self._ids[trial])


def test_no_more_trials_are_proposed_than_there_is_room_for() -> None:
    run = Run(room=2)
    assert [run.ask() for _ in range(4)] == [0, 1, None, None]
    run.end(0)
    assert [run.ask() for _ in range(2)] == [2, None]


def test_a_node_that_joins_is_given_trials_at_once_and_one_that_leaves_none() -> None:
    run = Run(room=1)
    assert [run.ask(), run.ask()] == [0, None]
    run.room = 3
    assert [run.ask() for _ in range(3)] == [1, 2, None]
    run.room = 2
    run.end(0)
    assert run.ask() is None
    run.end(1)
    assert run.ask() == 3


def test_a_trial_whose_worker_died_waits_for_room_like_any_other() -> None:
    run = Run(room=1)
    assert run.ask() == 0
    run.coordinator.start(0, "gone")
    run.room = 0
    run.coordinator.lose_worker(0, worker_death("The node died."))
    run.end(0)
    assert run.ask() is None
    run.room = 1
    assert run.ask() == 0


def test_a_run_that_is_interrupted_while_no_node_is_left_ends() -> None:
    run = Run(room=0)
    assert run.ask() is None
    assert not run.searcher.is_finished()
    run.coordinator.interrupt()
    assert run.ask() is None
    assert run.searcher.is_finished()
